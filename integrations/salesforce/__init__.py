"""Salesforce: companies and owners in, leads, deals and tasks out, and what became of them back."""
