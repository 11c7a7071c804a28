"""How many examples a property is tried with."""

from hypothesis import settings

USUAL = 100
"""What Hypothesis takes where nothing is said."""


def examples(count: int) -> settings:
    """Return the settings for ``count`` examples; in `make fuzz`, as many times more as there."""
    return settings(max_examples=count * settings().max_examples // USUAL)
