"""A file for whoever helps from afar: how a node is, and nothing about people."""
