"""One file a step; ids are the schema's version in four digits."""
