"""Corrections of kafka-python, one file a fault: each names the fault and the version that it was seen in."""
