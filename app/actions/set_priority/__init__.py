"""Action: set the priority."""
