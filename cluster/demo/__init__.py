"""A chat in the browser that shows which node does what."""
