"""Credentials for machines: keys of the record store and bearer tokens of the API."""
