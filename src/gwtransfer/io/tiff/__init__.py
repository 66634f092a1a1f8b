"""TIFF files that no georeference marks as maps: pictures, stacks, OME-TIFF."""
