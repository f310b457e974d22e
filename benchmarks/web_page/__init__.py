"""What the page costs who decides."""
