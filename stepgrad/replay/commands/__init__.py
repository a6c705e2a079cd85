"""What a person can do with a session: one table, and functions from a session to the next."""
