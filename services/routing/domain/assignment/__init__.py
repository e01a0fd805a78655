"""Which rep gets a lead: who is eligible, whom the strategy selects, and many leads allocated at once."""
