"""Networks that learn to make points out of N(0, I): what they leave between two modes.

Modules of this package alone import torch, inside their functions.
"""
