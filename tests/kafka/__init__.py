"""Apache Kafka for the tests, started from its jars."""
