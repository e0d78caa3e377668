"""The client that a gate integrator imports."""
