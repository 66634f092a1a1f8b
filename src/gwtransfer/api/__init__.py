"""The functions of `import gwtransfer as gw`: the jobs of the command line, for values too."""
