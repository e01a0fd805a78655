"""Identities, scores and qualification of leads: arithmetic on frozen values."""
