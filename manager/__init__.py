"""The client manager that joins Socket.IO nodes over a bus."""
