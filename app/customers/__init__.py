"""Mirror of the people who write and their companies, as the helpdesks know them."""
