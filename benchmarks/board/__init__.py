"""The console before an installation with many handoffs: loading them, visiting its pages, watching its board."""
