"""What `edge-ser benchmark` itself is worth, measured on this machine."""
