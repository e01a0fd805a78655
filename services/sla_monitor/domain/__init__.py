"""Clocks as values: when each is due, whether its promise was kept, what its changes announce. Pure."""
