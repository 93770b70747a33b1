"""A small web shop: what it sells, to whom, and for how much."""
