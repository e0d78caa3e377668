"""From comparison scores to operating points."""
