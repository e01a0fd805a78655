"""Scoring: identities, scores, verdicts, and their API."""
