"""Course content on hosts of its own: files, the shim page and run-time calls, and never a cookie."""
