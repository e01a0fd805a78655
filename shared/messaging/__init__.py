"""Messages between processes, kept in the transaction of what they do: outbox, offsets, dead letters, batches."""
