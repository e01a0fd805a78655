"""What the SLA monitor does in one transaction: when handoffs change, and when clocks are due."""
