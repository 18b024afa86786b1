"""The database: rows stay inside, words come out."""
