"""Keys, and sealing what is stored of people with them."""
