"""Reports: what pages and lists show of courses, people and their progress together."""
