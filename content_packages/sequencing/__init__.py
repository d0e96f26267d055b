"""SCORM 2004 sequencing and navigation: what comes next, and what the attempts on a course amount to.

Written from the published IMS Simple Sequencing 1.0 behaviour model and the ADL SCORM 2004 4th Edition
Sequencing and Navigation book. ``step`` is the whole engine; ``definition`` is what a package says.
"""
