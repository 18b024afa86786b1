"""The doors: HTTP, dashboard, command line."""
