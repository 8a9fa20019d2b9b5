"""The product: mirrors of vendors' facts, decisions about them, and the doors' use cases."""
