"""Shipped YAML: presets, structures, campaigns, example cells and the reference materials."""
