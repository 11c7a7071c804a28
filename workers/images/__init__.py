"""From a frame to pixels: where images may be fetched, their limits, decoding."""
