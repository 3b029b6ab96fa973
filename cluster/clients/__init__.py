"""The clients in Python, which recover: on asyncio and with threads."""
