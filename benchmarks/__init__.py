"""Figures that a person can make again; see README.md."""
