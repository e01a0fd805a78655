"""Who may get a lead, who does, what an answer changes, what a try of a webhook means: pure."""
