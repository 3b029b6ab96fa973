"""The contact with uvicorn: its two protocols with bounds and with ways out, and how its connections end.

No other folder uses uvicorn's internals; tests/http/test_uvicorn.py lists all that are used.
"""
