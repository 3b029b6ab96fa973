"""Ten thousand WebSocket clients in one process, with one epoll loop, without encoding or decoding JSON."""
