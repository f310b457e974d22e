"""NumPy archives, and the networks of :mod:`edge.models` that take their weights."""
