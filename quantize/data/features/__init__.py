"""Feature rows of clips: the cache, windows and segments of it."""
