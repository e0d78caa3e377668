"""Finding faces in an image and turning each into a template."""
