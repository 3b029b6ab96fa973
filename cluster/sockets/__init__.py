"""The public sockets of a node: ports, Unix sockets and TLS."""
