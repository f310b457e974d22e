"""What compression costs and buys: ``python -m benchmarks.compression``."""
