"""Video in, events out."""
