"""What is done to the store while it works, and what must hold afterwards."""
