"""Routing: gives each qualified lead to one rep, tells the rep, takes the rep's answers."""
