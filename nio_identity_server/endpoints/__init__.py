"""What can be said: every request as data, one module per chapter of the specification."""
