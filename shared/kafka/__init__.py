"""The only package that imports kafka."""
