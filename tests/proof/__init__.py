"""Proofs that are too large to be a test of one module, and the page of what they found.

Each tells how much it looked at with :func:`~tests.proof.findings.write`; ``python -m tests.proof``
makes the page of it.
"""
