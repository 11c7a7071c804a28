"""The examples in the docstrings of the method are true."""

import doctest
import importlib
import pkgutil

import pytest

import recognition

MODULES = [module.name for module in pkgutil.iter_modules(recognition.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"recognition.{name}"))
    assert found.failed == 0
