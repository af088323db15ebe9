"""The store: the only place that knows Redis keys, and the only one that writes to it (by Lua, one call a commit)."""
