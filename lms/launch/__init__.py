"""Launch a course, keep its run-time state, and turn what it reports into statements."""
