"""What runs a model: one module a runtime, imported only when it is asked for."""
