"""Hypothesis for machines that are busy: a slow example is no failure."""

from hypothesis import settings

settings.register_profile("perennial", deadline=None)
settings.load_profile("perennial")
