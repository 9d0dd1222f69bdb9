"""Conversations: which request follows which answer. They speak only through what is injected."""
