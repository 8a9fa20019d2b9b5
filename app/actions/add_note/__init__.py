"""Action: write an internal note."""
