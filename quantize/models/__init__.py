"""The networks, as plain ``nn.Module``."""
