"""What it costs to count the entries of every searched shard with each search."""
