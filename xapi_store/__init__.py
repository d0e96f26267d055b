"""Records: an xAPI learning record store (1.0.3 and 2.0), usable without the rest of Outpost."""
