"""Redis and RQ carry wake-ups, the database carries the truth; periodic work is a table."""
