"""Servers that answer the load test: ours, python-socketio as it comes, and Node.js."""
