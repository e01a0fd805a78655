"""Clocks by the million: loading them, firing them, reading them."""
