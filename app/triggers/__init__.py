"""Admins' rules: typed conditions in three-valued logic, in an explicit order, explained clause by clause."""
