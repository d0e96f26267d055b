"""How learners stand: a read model built from statements alone, which may be dropped and built again."""
