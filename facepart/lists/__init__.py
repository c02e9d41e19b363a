"""Lists of files: reading and writing them, and choosing the features of one demographic group.

:mod:`~facepart.lists.paths` knows the file format, :mod:`~facepart.lists.features` which features a folder holds,
:mod:`~facepart.lists.people` the table that says who belongs to which group.
"""
