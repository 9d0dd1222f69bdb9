"""The subcommands, a file for each chapter."""
