"""All that an identity server can do to us, a file for each kind of it."""
