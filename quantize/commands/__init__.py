"""``edge-ser-quantize``: one file a command."""
