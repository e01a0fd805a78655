"""The demonstration: a few hundred invented people, three reps and a flaky network."""
