"""Which tracks are one hull: links between a track that fell silent and one that woke, with reasons for and against."""
