"""The whole way of a lead, through real processes and real HTTP."""
