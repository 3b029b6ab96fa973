"""A chat in the browser that shows the nodes at work."""
