"""The road of decisions over a broker: a real one, killed and restarted."""
