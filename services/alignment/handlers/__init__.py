"""What alignment does in one transaction with news of scoring, routing and the SLA monitor."""
