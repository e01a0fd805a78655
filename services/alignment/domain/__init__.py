"""What is known of each handoff, and what is counted of it: pure functions."""
