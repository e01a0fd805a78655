"""The console: pages for ops and reps, rendered from what the APIs answer."""
