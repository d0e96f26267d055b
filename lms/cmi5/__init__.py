"""Units that speak to the record store themselves: those of cmi5, and of xAPI packages."""
