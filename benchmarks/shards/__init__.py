"""What it costs, or saves, to cut the gallery into shards."""
