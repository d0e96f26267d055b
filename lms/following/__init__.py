"""Nodes below are told of the people they look after: what was done elsewhere, and how far it has come."""
