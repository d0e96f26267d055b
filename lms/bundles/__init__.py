"""Bundles: what this node gives others, and takes from them, in files that somebody carries."""
