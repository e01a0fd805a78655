"""The SLA monitor: it runs a clock for each promise and flags broken promises."""
