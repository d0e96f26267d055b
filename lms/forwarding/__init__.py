"""Hand statements on: to other record stores, and to whoever listens for them live."""
