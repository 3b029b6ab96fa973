"""Load tests for Socket.IO servers with Locust: what users feel, and whether every message came."""
