"""People are erased: what a node keeps of one, who orders it, and which nodes have done it."""
