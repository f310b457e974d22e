"""What is done to clips before their features: augmentation, noise, rooms."""
