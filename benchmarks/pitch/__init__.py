"""How far the pitch can be trusted: ``python -m benchmarks.pitch``."""
