"""The Socket.IO cluster for Python."""
