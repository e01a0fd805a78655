"""API keys, the origins that ingest keys allow, and the encryption of webhook secrets."""
