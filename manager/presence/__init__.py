"""Presence: who is in which room, on all nodes together."""
