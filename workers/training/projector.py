"""Files of TensorBoard's embedding projector: vectors, thumbnails and background of some images."""

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

FOLDER = "projector"
_LARGEST_COUNT = 2000  # the browser holds them all
_SIDE = 64  # of a thumbnail; 45 × 45 of them make 2,880 px, and the projector reads up to 8,192
_CONFIG = """\
embeddings {{
  tensor_name: "step {step}"
  tensor_path: "{folder}/tensors.tsv"
  metadata_path: "{folder}/metadata.tsv"
  sprite {{
    image_path: "{folder}/sprite.png"
    single_image_dim: 64
    single_image_dim: 64
  }}
}}
"""


def write_projector(
    board: Path,
    step: int,
    embeddings: NDArray[np.float32],
    images: NDArray[np.uint8],
    metadata: Mapping[str, Sequence[str]],
) -> None:
    """Write what the projector shows of one step; the same step again replaces it.

    Where there are more than 2,000 images, that many are taken at even distances.

    Args:
        board: TensorBoard's log folder.
        step: becomes the name of the embedding.
        embeddings: (n, d), finite.
        images: (n, h, w, 3) RGB.
        metadata: for each variable n values, by which points can be coloured and searched.

    Raises:
        ValueError: lengths that differ, no images, no variables, or embeddings that are not finite.
    """
    count = len(images)
    lengths = {len(embeddings), *map(len, metadata.values())}
    if not metadata or not count or lengths != {count}:
        raise ValueError(f"{count} images, but {sorted(lengths)} embeddings and values")
    if not np.isfinite(embeddings).all():
        raise ValueError(f"embeddings of step {step} are not finite")
    shown = np.linspace(0, count - 1, min(count, _LARGEST_COUNT)).round().astype(np.intp)
    folder = board / FOLDER / f"{step:08d}"
    unfinished = folder.with_suffix(".new")
    for stale in (folder, unfinished):
        shutil.rmtree(stale, ignore_errors=True)
    unfinished.mkdir(parents=True)
    np.savetxt(unfinished / "tensors.tsv", embeddings[shown], fmt="%.6g", delimiter="\t")
    (unfinished / "metadata.tsv").write_text(_table(metadata, shown), encoding="utf-8")
    sprite = cv2.cvtColor(_sprite(images[shown]), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(unfinished / "sprite.png"), sprite)
    unfinished.rename(folder)
    _list_steps(board)


def drop_later(board: Path, step: int) -> None:
    """Remove what was written after a step, for a run that goes on from there."""
    for number, folder in _steps(board):
        if number > step:
            shutil.rmtree(folder)
    _list_steps(board)


def _steps(board: Path) -> list[tuple[int, Path]]:
    """The steps written so far, in order."""
    return sorted((int(folder.name), folder) for folder in (board / FOLDER).glob("[0-9]*[0-9]"))


def _list_steps(board: Path) -> None:
    """Tell the projector which steps there are, the latest first: that is the one it opens with."""
    entries = [
        _CONFIG.format(step=number, folder=folder.relative_to(board).as_posix())
        for number, folder in reversed(_steps(board))
    ]
    (board / "projector_config.pbtxt").write_text("".join(entries), encoding="utf-8")


def _table(metadata: Mapping[str, Sequence[str]], shown: NDArray[np.intp]) -> str:
    """Tab-separated; the projector takes the first line for names only if there are several."""
    header = [list(metadata)] if len(metadata) > 1 else []
    rows = [[values[i] for values in metadata.values()] for i in shown]
    return "".join("\t".join(map(_cell, row)) + "\n" for row in header + rows)


def _cell(text: str) -> str:
    """Without what would end the cell, and never empty: the projector passes over empty lines."""
    return " ".join(text.split()) or "-"


def _sprite(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """All thumbnails on one square sheet, row by row."""
    across = math.isqrt(len(images) - 1) + 1
    sheet = np.zeros((across * across, _SIDE, _SIDE, 3), np.uint8)
    for tile, image in zip(sheet, images, strict=False):  # the last places may stay black
        _fill(tile, image)
    tiles = sheet.reshape(across, across, _SIDE, _SIDE, 3).swapaxes(1, 2)
    return tiles.reshape(across * _SIDE, across * _SIDE, 3)


def _fill(tile: NDArray[np.uint8], image: NDArray[np.uint8]) -> None:
    """Put an image in the middle of a tile, as large as it fits."""
    height, width = (max(1, round(side * _SIDE / max(image.shape[:2]))) for side in image.shape[:2])
    top, left = (_SIDE - height) // 2, (_SIDE - width) // 2
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    tile[top : top + height, left : left + width] = small
