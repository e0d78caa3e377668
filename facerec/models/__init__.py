"""The networks in Keras 3, their weights, and where they come from."""
