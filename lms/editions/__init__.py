"""What becomes of officers in mid-course when learners are given another edition."""
