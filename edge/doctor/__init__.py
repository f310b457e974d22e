"""What is wrong with this device, and the exact command that mends it."""
