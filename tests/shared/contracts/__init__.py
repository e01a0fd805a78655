"""What travels between the services, decoded from files that never change."""
