"""The contact with uvicorn: its two protocols with bounds and with ways out, and how its connections end.

No other folder uses what is internal to uvicorn; tests/http/test_uvicorn.py lists all of it.
"""
