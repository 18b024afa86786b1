"""Benchmarks: each prints its figures as JSON, beside what it is compared with, measured in the same run."""
