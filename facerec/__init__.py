"""Real-time facial recognition for access control."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("facerec")
