"""From records to contacts and cells: sampled, assembled, solved, and told as documents."""
