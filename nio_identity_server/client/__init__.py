"""The room that waits and connects: everything with an event loop, a clock or a socket."""
