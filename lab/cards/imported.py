"""A model of somebody else as a model folder: read, tried, and written with its page."""

from collections.abc import Callable
from pathlib import Path

from lab.cards.export import need_empty, write_tried
from lab.cards.stored import StoredModel
from schemas.errors import SetupError
from workers.model.imported.files import from_onnx, from_torchscript
from workers.model.imported.names import module_for
from workers.model.imported.soundness import prove
from workers.model.imported.source import Imported, Preprocessing
from workers.model.model_folder import ModelCard, version

_TIMM = ("timm:", "hf-hub:", "local-dir:")
_READS_TIMM = "workers.model.imported.timm_source"  # it needs a package that may not be there
_TORCHSCRIPT = (".pt", ".pth", ".ts", ".torchscript")


def import_model(
    source: str,
    out: Path,
    card: ModelCard,
    given: Preprocessing,
    *,
    weights: Path | None = None,
    force: bool = False,
) -> tuple[StoredModel, tuple[str, ...]]:
    """Write a model folder around a model of somebody else; return it, and what to tell its owner.

    Args:
        source: a file, .onnx or TorchScript; or ``timm:NAME``, ``hf-hub:OWNER/NAME``,
            ``local-dir:FOLDER``, which timm reads.
        out: the folder to write.
        card: name and line about it; what it is made of is told by the source.
        given: what is said of its images.
        weights: a file of weights for an architecture of timm; else timm fetches them.
        force: write though there is something in the folder.

    Raises:
        SetupError: naming what is wrong; nothing was written then.
    """
    if not force:
        need_empty(out)
    found = _read(source, weights, given)
    whole = card.model_copy(update={"architecture": found.architecture})
    model = StoredModel(out, whole, found.weights, version(whole, found.weights))
    write_tried(model, prove)
    return model, found.remarks


def is_source_of_timm(source: str) -> bool:
    """Tell whether timm reads a source."""
    return source.startswith(_TIMM)


def _read(source: str, weights: Path | None, given: Preprocessing) -> Imported:
    if is_source_of_timm(source):
        return _from_timm(source, weights, given)
    if weights is not None:
        raise SetupError(f"--weights {weights}: {source} has its weights in it")
    path = Path(source)
    if not path.is_file():
        raise SetupError(
            f"{source}: no such file; expected FILE.onnx, a TorchScript file, or a name that timm "
            "knows: timm:resnet18, hf-hub:OWNER/NAME, local-dir:FOLDER"
        )
    if path.suffix.lower() in _TORCHSCRIPT:
        if given.output is not None:
            raise SetupError(f"--output {given.output}: a TorchScript file gives what it returns")
        return from_torchscript(path, given)
    return from_onnx(path, given)


def _from_timm(source: str, weights: Path | None, given: Preprocessing) -> Imported:
    if given.output is not None:
        raise SetupError(f"--output {given.output}: timm's networks give their pooled features")
    read: Callable[..., Imported] = module_for(source, _READS_TIMM).from_timm
    return read(source, weights, given)
