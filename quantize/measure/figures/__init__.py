"""Figures of a scorecard as a manifest keeps them."""
