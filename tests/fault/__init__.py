"""Tests that inject faults into an installation on real servers and compare its results with an undisturbed run."""
