"""Fitting a conditioning to labelled images, and the report on it."""
