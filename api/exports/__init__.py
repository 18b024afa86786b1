"""Mentions as files for other programs: CSV, JSON Lines, Excel and Parquet, written while they are read."""
