"""The database in a browser: a local page that reads and never writes."""
