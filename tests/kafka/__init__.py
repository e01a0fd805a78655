"""A real Apache Kafka for the tests, started from its jars, and the tests that need one."""
