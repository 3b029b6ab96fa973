"""The fast way to WebSocket clients; see ``connection``."""
