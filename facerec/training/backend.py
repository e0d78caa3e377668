"""The backend that Keras computes with."""

import keras

__all__ = ["wake"]


def wake() -> None:
    """Let the backend look for its devices, which it otherwise does, and talks about, later."""
    keras.ops.zeros(1)
