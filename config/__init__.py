"""Settings, and the data files that a marketer may edit."""
