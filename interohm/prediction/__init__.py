"""Predictions of contacts and cells from records: sampled, assembled, solved, and documented."""
