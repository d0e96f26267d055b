"""Other nodes: who this one is, whom it is paired with, when it meets them, and how its records stand."""
