"""The exporter to TFLite."""
