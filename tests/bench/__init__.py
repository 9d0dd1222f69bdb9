"""What the package costs, as ratios that survive a shared machine: ``python -m tests.bench``."""
