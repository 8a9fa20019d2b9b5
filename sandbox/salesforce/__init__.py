"""The simulated Salesforce: same addresses, same refusals, served over HTTP on loopback."""
