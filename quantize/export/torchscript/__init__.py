"""The exporter to TorchScript."""
