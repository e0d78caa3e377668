"""Error rates from comparison scores: arrays in, figures out."""
