"""What a node with tens of thousands of rooms costs its bus and itself, above all when the bus comes back."""
