"""The node: worker processes under one supervisor, its command line, and a demo."""
