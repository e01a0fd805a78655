"""Conditions in the language CEL: read, checked, compiled, evaluated, and their answers cached."""
