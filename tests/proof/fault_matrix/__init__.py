"""Every fault that a server can have, at every endpoint, on real sockets."""
