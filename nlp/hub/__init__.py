"""Larger models in place of the embedded one: found, opened, tried out, made smaller, and noted on a shelf."""
