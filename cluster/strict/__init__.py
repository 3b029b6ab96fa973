"""Checks requests and packets as the JavaScript server does, where python-engineio does not.

See ``Strict``.
"""
