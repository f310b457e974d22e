"""Fixed ways of measuring a trained run beyond its whole, clean utterances."""
