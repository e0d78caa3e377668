"""Who is enrolled, and searching among them."""
