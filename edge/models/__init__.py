"""Networks in NumPy, whatever file their weights come from: one package an architecture."""
