"""The language of rules: a query is parsed, indexed by what it cannot do without, and verified on an item."""
