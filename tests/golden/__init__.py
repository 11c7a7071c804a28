"""What the studies answer to stored inputs, held against what they once answered."""
