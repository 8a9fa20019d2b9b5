"""Wires shared by all vendors: HTTP with deadlines and typed faults, budgets, breakers, strict JSON, signatures."""
