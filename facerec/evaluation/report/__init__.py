"""What an evaluation found, as JSON for scripts and as a page for people."""
