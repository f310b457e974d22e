"""Memory, cold start and installed size against the scripts that somebody would write first."""
