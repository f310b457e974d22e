"""What is left of a work that was cut off: files truncated, processes killed, two at once."""
