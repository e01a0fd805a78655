"""All SQL of routing, by what it is about: handoffs, the bench of reps, deliveries, the file of reps."""
