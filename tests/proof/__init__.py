"""What the proofs found, and the page that says so: ``python -m tests.proof``.

A proof writes what it found with :func:`~tests.proof.findings.write`, or a file like it.
"""
