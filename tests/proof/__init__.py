"""Proofs that are too large to be a test of one module; each tells how much it looked at."""
