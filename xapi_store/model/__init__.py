"""The shapes of the standard: what a statement, an actor and an activity may look like."""
