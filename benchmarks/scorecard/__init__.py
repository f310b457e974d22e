"""The scorecard: every training and measurement of every recipe, collated into one table."""
