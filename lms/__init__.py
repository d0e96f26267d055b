"""Outpost: people, courses, launches and pages; puts the three libraries together."""
