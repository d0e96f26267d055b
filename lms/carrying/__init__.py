"""Which courses a node carries: what it is assigned, what its learners need, what it has no room for."""
