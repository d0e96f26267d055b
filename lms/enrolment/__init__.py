"""Enrolment: who takes which course."""
