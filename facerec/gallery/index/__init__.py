"""Searching among templates: indexes, their scans, and their snapshot."""
