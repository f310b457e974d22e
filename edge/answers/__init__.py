"""Answers of many files: asked for in any number of processes, kept as they come, written once."""
