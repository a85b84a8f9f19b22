"""A cell in time: the space charges of its layers after a step."""
