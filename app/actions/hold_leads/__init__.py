"""Action: hold leads of the company back."""
