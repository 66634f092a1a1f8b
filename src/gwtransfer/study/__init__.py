"""Studies: experiments whose results are a table, a plot and some plain words in a folder."""
