"""Label map -> the mask of each part of the face, and how much of the photo it covers."""

from facepart.parts.masks import HEAD, PARTS, choose_parts, part_mask
from facepart.parts.table import PartsTable, read_parts_table, write_parts_table

__all__ = ["HEAD", "PARTS", "PartsTable", "choose_parts", "part_mask", "read_parts_table", "write_parts_table"]
