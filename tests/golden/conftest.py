"""What golden outputs are taken with: stored embeddings, fixed settings, and the command line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from typer.testing import CliRunner

from infra.cli import app
from tests.environment import default_settings
from tests.golden.comparing import differences, stable
from tests.golden.stored import MODEL, write_images

EXPECTED: Final = Path(__file__).parent / "expected"
FIGURES: Final = 1e-6
"""Numbers that follow from stored embeddings may differ by this share."""

CALIBRATED: Final = 1e-3
"""And those that follow from a calibration, which amplifies the rounding of another processor."""

Command = Callable[..., Any]
"""Runs a subcommand of ``perennial`` with ``--json``; returns what it prints."""

Golden = Callable[..., None]
"""Takes a name and a JSON value; holds that against the stored one, or stores it."""


@pytest.fixture(autouse=True)
def fixed_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the settings' defaults, one thread and 32 bits, and leave the threads as they were."""
    default_settings(monkeypatch)
    monkeypatch.setenv("PERENNIAL_THREADS", "1")
    monkeypatch.setenv("PERENNIAL_PRECISION", "float32")
    monkeypatch.setenv("PERENNIAL_DEVICE", "cpu")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def command() -> Command:
    """The command line, in this process."""

    def run(name: str, *arguments: object) -> Any:
        result = CliRunner().invoke(app, [name, *map(str, arguments), "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """What was answered once, in ``expected/``."""
    write = request.config.getoption("--write-golden")

    def check(
        name: str,
        value: Any,
        *,
        within: float = FIGURES,
        by_norm: bool = False,
        without: frozenset[str] = frozenset(),
    ) -> None:
        path = EXPECTED / f"{name}.json"
        kept = stable(value, without)
        expected = json.loads(path.read_bytes()) if path.is_file() else None
        moved = list(differences(expected, kept, within, by_norm=by_norm))
        if moved and write:  # what rounding alone tells apart stays as it is
            text = json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False)
            path.write_text(text + "\n", encoding="utf-8")
            return
        assert not moved, f"{path.name}: {len(moved)} differences\n" + "\n".join(moved)

    return check


@pytest.fixture
def herd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The manifest of a herd whose images are embedded as stored, by the model in ``MODEL``."""
    monkeypatch.setenv("PERENNIAL_MODEL", str(MODEL))
    return write_images(tmp_path / "herd", monkeypatch)
