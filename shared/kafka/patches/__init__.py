"""Patches of kafka-python, one file a patch: each names the fault and the version it was seen in.

Nothing outside of this package touches private parts of kafka-python. For each patch a test shows that the unpatched
client still has the fault, and fails when the patch is no longer needed.
"""
