"""The web: one module per source, each turning what an upstream says into mentions."""
