"""Files that hold arrays by name: MATLAB, HDF5, netCDF, Zarr."""
