"""Photos on disk -> label maps, occluded photos and embeddings; the loop that `blur`, `extract` and `study` share."""
