"""Scoring: takes marketing's events in, keeps each lead's score, says who is qualified."""
