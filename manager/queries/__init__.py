"""Questions to all nodes about their clients, and what is done to many clients at once."""
