"""The calls about the user's own addresses."""
