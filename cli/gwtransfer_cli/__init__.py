"""The command line of gwtransfer."""
