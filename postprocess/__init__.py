"""Finished calculations in, material records out."""
