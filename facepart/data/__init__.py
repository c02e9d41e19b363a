"""Files on disk -> photos, path lists, subjects: which photos there are, their pixels, and who is on them."""
