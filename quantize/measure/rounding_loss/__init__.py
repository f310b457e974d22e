"""What rounded weights lose against the float ones."""
