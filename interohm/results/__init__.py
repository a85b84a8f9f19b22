"""What predictions say: the documents of contacts, cells and screenings, above records alone."""
