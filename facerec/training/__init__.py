"""Training of networks on Keras 3: data, losses, the loop, packages. Runs on any Keras backend."""
