"""The environment of tests that must not depend on the settings of whoever runs them."""

import os

import pytest


def default_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings' defaults; but torch computes, so that nothing is exported or measured."""
    for name in os.environ:
        if name.startswith("PERENNIAL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PERENNIAL_RUNTIME", "torch")
