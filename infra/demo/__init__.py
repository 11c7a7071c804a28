"""The demo: a year of frames through everything that there is."""
