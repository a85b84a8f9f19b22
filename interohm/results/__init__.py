"""What predictions say: the results of contacts, cells and screenings, above records alone."""
