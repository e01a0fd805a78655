"""The code that all services share. It imports no service."""
