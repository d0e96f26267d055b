"""Readers of package manifests, one module per kind; each returns a ``Package``."""
