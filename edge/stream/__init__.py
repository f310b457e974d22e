"""From blocks of samples to decisions."""
