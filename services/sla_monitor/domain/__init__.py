"""Clocks as values: when each is due, how it ends, which transitions it has, how it is counted."""
