"""Which properties count for coverage."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave properties out, but those of the schemas: measured, they take twice the time.

    They hold results against an oracle. That every line is run is for the unit tests to show.
    """
    for item in items:
        if item.get_closest_marker("hypothesis") and "schemas" not in item.path.name:
            item.add_marker("no_cover")
