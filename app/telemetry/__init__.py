"""What the operator sees: JSON log lines, metrics, health."""
