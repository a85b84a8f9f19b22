"""Quadrature, roots, spectral elements and Fermi–Dirac integrals: mathematics alone."""
