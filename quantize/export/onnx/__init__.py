"""The exporter to ONNX."""
