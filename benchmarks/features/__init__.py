"""What the features cost and how close they are to librosa's: ``python -m benchmarks.features``."""
