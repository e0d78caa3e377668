"""From comparison scores to decisions at a known error rate."""
