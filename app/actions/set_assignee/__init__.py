"""Action: set the assignee."""
