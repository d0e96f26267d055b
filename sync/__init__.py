"""Moving records between nodes that meet seldom; never looks inside a record."""
