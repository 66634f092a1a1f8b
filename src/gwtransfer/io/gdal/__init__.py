"""Rasters of remote sensing: ENVI, ERDAS, GeoTIFF, and every TIFF that is written."""
