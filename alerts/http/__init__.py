"""Everything that leaves Tocsin by HTTP: one client with bounded bodies, one guard on the addresses it dials."""
