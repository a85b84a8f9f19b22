"""One small module per engine behind one protocol."""
