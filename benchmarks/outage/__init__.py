"""How a cluster of many nodes comes back after its bus was killed, restarted or frozen."""
