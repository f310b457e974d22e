"""One module a feature family."""
