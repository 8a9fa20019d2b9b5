"""The published language: value types, errors, protocols. No behaviour, no SDK, nothing of ours below it."""
