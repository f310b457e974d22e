"""What is left of work that was interrupted, cut off, or begun twice."""
