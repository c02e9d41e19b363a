"""A photo and its label map -> the photo with one part of the face occluded."""
