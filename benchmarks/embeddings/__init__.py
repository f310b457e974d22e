"""Whether a large model's vectors are those that somebody else made with it."""
