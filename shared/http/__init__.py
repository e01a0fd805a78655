"""The parts that all HTTP APIs share: errors, keys, limits, probes, pages of lists."""
