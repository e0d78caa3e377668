"""Backups of a gallery, and restoring them."""
