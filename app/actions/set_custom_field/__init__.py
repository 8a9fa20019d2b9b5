"""Action: set a custom field."""
