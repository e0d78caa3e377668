"""The audit journal: who did and decided what, as a chain of hashes with signed heads."""
