"""Ten thousand WebSocket clients in one process: one epoll loop, ready frames out, no JSON in."""
