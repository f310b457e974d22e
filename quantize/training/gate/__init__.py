"""The trained speech gate: sounds, scenes, training, measurement."""
