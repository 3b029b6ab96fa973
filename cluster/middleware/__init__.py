"""Middlewares and exception handlers around the event handlers of a server or client."""
