"""Models in NumPy alone."""
