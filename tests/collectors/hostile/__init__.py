"""Misbehaving servers, and what every source makes of them."""
