"""Rules that a reviewer would have to remember, held by reading the source."""
