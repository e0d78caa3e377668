"""Pictures of known people: finding them, and turning each into a template once."""
