"""Run-time data models of SCORM 1.2 and SCORM 2004 4th Edition, and the rules around a session."""
