"""PostgreSQL and a Kafka-compatible broker from Python packages, and a supervisor of processes."""
