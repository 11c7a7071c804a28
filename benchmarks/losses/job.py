"""What is asked of a set: its images, and the settings to train with."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from schemas.errors import SetupError
from workers.training.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Job:
    """One set; it goes by the name of its folder."""

    manifest: Path
    split: int
    config: TrainingConfig

    @property
    def name(self) -> str:
        """The name of the set."""
        return self.manifest.resolve().parent.name

    @property
    def settings(self) -> str:
        """12 hex digits of all that decides a row, besides the images and the loss."""
        text = self.config.model_copy(update={"loss": ""}).model_dump_json()
        return hashlib.sha256(f"{self.split} {text}".encode()).hexdigest()[:12]


def read_job(text: str, split: int, steps: int) -> Job:
    """Read ``MANIFEST[=CONFIG.json]``; the number of steps is fixed, and no map learned on top.

    Raises:
        SetupError: a file is missing, or the settings are none.
    """
    manifest, file = Path(text), None
    if not manifest.is_file() and "=" in text:
        before, _, after = text.rpartition("=")
        manifest, file = Path(before), Path(after)
    if not manifest.is_file():
        raise SetupError(f"no manifest {manifest}; write MANIFEST or MANIFEST=CONFIG.json")
    try:
        config = TrainingConfig()
        if file is not None:
            config = TrainingConfig.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SetupError(f"settings {file}: {error}") from error
    return Job(manifest, split, config.model_copy(update={"steps": steps, "linear_map": None}))
