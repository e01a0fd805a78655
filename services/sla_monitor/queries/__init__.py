"""All SQL of this service: its clocks, its timers, its reports."""
