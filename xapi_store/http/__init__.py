"""The record store as an ASGI app of its own, with its own errors, headers and multipart bodies."""

from xapi_store.http.app import create_lrs_app
from xapi_store.http.lrs import Asked, Credentials, Lrs

__all__ = ["Asked", "Credentials", "Lrs", "create_lrs_app"]
