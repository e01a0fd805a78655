"""Tests of the console in headless Chromium, against a running installation."""
