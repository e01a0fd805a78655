"""The SLA monitor: runs a clock for each promise, and flags the ones that were broken."""
