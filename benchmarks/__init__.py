"""Measures this cluster and other Socket.IO servers side by side; see README.md."""
