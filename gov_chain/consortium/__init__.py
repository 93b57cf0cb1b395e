"""A consortium's nodes: their files, their processes, and the engine under them."""
