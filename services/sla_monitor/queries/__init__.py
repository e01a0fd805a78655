"""The SLA monitor's SQL: changes of handoffs, clocks with their timers, tallies, and lists for people."""
