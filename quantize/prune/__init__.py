"""Pruning: smaller CLAF-SERs cut out of trained ones, and weights set to zero."""
