"""The environment of tests that must not depend on the settings of whoever runs them."""

import os

import pytest


def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings' defaults."""
    for name in os.environ:
        if name.startswith("PERENNIAL_"):
            monkeypatch.delenv(name)


def default_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings' defaults; but torch computes, so that nothing is exported or measured."""
    no_settings(monkeypatch)
    monkeypatch.setenv("PERENNIAL_RUNTIME", "torch")
