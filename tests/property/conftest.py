"""Which properties count for coverage."""

import pytest

COUNTED = ("schemas", "streams", "term_log", "late_commands")
"""Of files about events, logs and agents, whose rarest lines a property reaches."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the properties of the method out: measured, they take twice the time.

    They hold results against an oracle. That every line is run is for the unit tests to show.
    """
    for item in items:
        counted = any(part in item.path.name for part in COUNTED)
        if item.get_closest_marker("hypothesis") and not counted:
            item.add_marker("no_cover")
