"""The simulated desk: what agents would see of a ticket, and why its tags are there."""
