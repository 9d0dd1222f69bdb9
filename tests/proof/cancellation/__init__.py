"""Every public call, ended at every step that it takes."""
