"""Action: set the group."""
