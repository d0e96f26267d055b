"""HTTPS without anybody's leave: a root of the node's own, what it signs, and the pages that hand it out."""
