"""Turning published weights of other formats into weights of the Keras networks."""
