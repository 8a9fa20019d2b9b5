"""The simulated Intercom: same addresses, same refusals, same deliveries, served over HTTP on loopback."""
