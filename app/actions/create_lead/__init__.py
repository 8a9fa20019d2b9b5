"""Action: make a lead of a ticket."""
