"""Action: add own tags."""
