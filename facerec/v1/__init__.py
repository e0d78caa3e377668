"""The public API in Python, generated from ``proto/facerec/v1`` by ``make protos``."""
