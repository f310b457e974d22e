"""Weights in 8 bits: which layers, on which grid, in which order."""
