"""The query language: one grammar for watches, the search box, alerts and saved views."""
