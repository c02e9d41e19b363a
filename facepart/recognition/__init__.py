"""Face -> embedding of unit length (ArcFace), with the face found and aligned first if wanted."""
