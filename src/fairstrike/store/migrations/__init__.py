"""How the desk's database came to its present tables, step by step; `store.database` runs what is missing."""
