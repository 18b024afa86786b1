"""The dashboard: what each page shows, and the templates, charts and words it is made of."""
