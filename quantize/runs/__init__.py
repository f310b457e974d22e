"""A run folder: its checkpoint, its temperature, what was trained and from what."""
