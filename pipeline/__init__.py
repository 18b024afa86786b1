"""The verbs: collect, enrich, map; the pool and the clock."""
