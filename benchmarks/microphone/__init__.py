"""The microphone against a sound server of our own: every sample, and back after an outage."""
