"""Space charges of uniform phases by the first integral of Poisson's equation (physics.md)."""
