"""The contracts between the services: topics, payloads, and their wire format."""
