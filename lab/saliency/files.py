"""What a look at the variables leaves in a folder."""

from collections.abc import Callable
from pathlib import Path

from rich.progress import Progress

from lab.saliency.page import page
from lab.saliency.page_data import page_data
from lab.saliency.run import Looked
from schemas.errors import SetupError
from schemas.settings import Settings

REPORT, PAGE = "saliency.json", "saliency.html"


def write(folder: Path, looked: Looked, settings: Settings, bar: Progress) -> None:
    """Write ``saliency.json`` and ``saliency.html``; the folder is made.

    Raises:
        SetupError: it cannot be written to.
    """

    def progress(task: str, steps: int) -> Callable[[], None]:
        number = bar.add_task(task, total=steps)
        return lambda: bar.advance(number)

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REPORT).write_text(looked.report.model_dump_json(indent=1), encoding="utf-8")
        html = page(looked.report, page_data(looked, settings, progress))
        (folder / PAGE).write_text(html, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{folder}: {error}; give another folder with --out") from error
