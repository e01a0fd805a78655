"""The services, each on its own, and the command that starts them."""
