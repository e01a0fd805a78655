"""Sessions, the outbox, the offsets: what makes a batch one transaction."""
