"""Large speech models that give a vector a clip: a registry, one module a model."""
