"""Breaks the package in one place at a time, to see whether a test notices."""
