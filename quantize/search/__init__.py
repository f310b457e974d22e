"""Which artifact to take: runs x kinds measured side by side, and the best trade-offs."""
