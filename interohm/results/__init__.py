"""Typed results of contacts, cells and screenings."""
