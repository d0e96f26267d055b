"""What cmi5 rules while a course is taken (cmi5 9 to 11): sessions, statements, moveOn; tables and pure functions."""
