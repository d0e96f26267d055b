"""Courses: reading, keeping and playing SCORM, cmi5 and xAPI packages; no HTTP, no SQL."""
