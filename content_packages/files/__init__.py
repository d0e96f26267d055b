"""Single files an instructor has at hand, read as courses of one unit: PDF, video, audio, EPUB."""
