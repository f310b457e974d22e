"""Figures of models: answers, protocols, temperatures, what rounding loses."""
