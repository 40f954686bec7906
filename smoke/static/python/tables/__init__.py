"""Dated tables about Python itself and its best-known distributions, and the scripts that derive them."""
