"""Files on disk -> photos: which there are, and their pixels."""

from facepart.images.find import Photo, find_photos
from facepart.images.read import PhotoError, read_photo
from facepart.images.write import write_image, write_indexed_png

__all__ = ["Photo", "PhotoError", "find_photos", "read_photo", "write_image", "write_indexed_png"]
