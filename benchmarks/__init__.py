"""Benchmarks: each figure stands beside a floor that the same run measured on the same machine."""
