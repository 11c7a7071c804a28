"""What travels: topics, events, the wire codec, background variables, settings and metrics."""
