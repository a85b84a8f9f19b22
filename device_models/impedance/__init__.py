"""Impedance of layers and their contacts: linearized Poisson–Nernst–Planck (physics.md, 12)."""
