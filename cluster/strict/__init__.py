"""Engine.IO to the letter, where python-engineio is lax; see ``Strict``."""
