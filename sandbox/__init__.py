"""Simulated vendors: the same addresses, signatures, rules and errors, over real HTTP, with faults on demand."""
