"""Protocols, metrics and benchmarks."""
