"""What the CRM knows of companies, mirrored, so that matching costs no call."""
