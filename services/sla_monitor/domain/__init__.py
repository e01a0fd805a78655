"""What a promise is: when it is due, whether it was kept, what is said about it. Pure."""
