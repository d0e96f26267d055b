"""Courses: what was imported, in which editions, and what an edition consists of."""
