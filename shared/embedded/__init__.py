"""PostgreSQL and a Kafka-compatible broker from wheels, and a supervisor of processes."""
