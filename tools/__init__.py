"""Scripts for maintainers; none is installed."""
