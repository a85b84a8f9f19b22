"""Stacks of layers on a grid: what varies along a layer is solved as a whole."""
