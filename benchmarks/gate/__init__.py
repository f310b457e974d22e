"""What the speech gate lets through: ``python -m benchmarks.gate``."""
