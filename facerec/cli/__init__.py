"""The `facerec` command line."""
