"""Sounds that are made, not recorded: noise, machines, tones, music, animals, bodies."""
