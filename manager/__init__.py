"""The client manager that connects Socket.IO nodes over a bus. It knows nothing of HTTP."""
