"""A long-lived installation on real servers, hurt in every way, and its books compared with those of a quiet run."""
