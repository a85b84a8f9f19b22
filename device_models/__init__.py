"""Material parameters in, predictions out: arrays to arrays, for one contact or a million."""
