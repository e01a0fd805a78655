"""What every HTTP API here has: problems, keys, limits, probes."""
