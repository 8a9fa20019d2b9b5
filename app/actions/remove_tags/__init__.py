"""Action: remove own tags."""
