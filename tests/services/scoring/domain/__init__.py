"""Arithmetic of leads."""
