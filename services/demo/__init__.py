"""A few hundred invented people, three reps and a flaky network: what the demonstration runs on."""
