"""Sets of phases in, tables out: all contacts once, all cells from them, the best of them."""
