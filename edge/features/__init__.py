"""The 34 features of CLAF-SER in NumPy: offline and streaming over the same kernels."""

from edge.features.extractor import FeatureExtractor

__all__ = ["FeatureExtractor"]
