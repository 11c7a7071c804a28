"""What TensorBoard itself reads back from a run's log folder."""

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from numpy.typing import NDArray
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from workers.training.board import TensorBoard

pytestmark = pytest.mark.usefixtures("event_files_in_order")

Images = NDArray[np.uint8]


def curve(folder: Path, name: str = "loss") -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder)).Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def config(folder: Path) -> ProjectorConfig:
    text = (folder / "projector_config.pbtxt").read_text()
    read = ProjectorConfig()
    text_format.Parse(text, read)
    return read


def steps(folder: Path) -> list[str]:
    return [embedding.tensor_name for embedding in config(folder).embeddings]


def pictures(count: int, height: int = 20, width: int = 10) -> Images:
    """Each of one colour, which tells its number."""
    colours = np.stack([np.arange(count) % 256, np.arange(count) // 256, np.full(count, 200)], -1)
    return np.broadcast_to(colours[:, None, None], (count, height, width, 3)).astype(np.uint8)


def vectors(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(count, 5)).astype(np.float32)


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_scalars_are_on_disk_before_the_board_is_closed(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        board.scalars(1, {"loss": 0.5, "rate/head": 0.125})
        board.scalars(2, {"loss": 0.25})
        assert curve(tmp_path) == [(1, 0.5), (2, 0.25)]
        assert curve(tmp_path, "rate/head") == [(1, 0.125)]


def test_a_run_that_goes_on_shows_each_step_once(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        for step in range(6):
            board.scalars(step, {"loss": step})
    written = next(tmp_path.glob("events.out.tfevents.*"))
    written.rename(tmp_path / "events.out.tfevents.0000000001.earlier")  # read in order of seconds
    with TensorBoard(tmp_path, after=3) as board:
        for step in range(4, 8):
            board.scalars(step, {"loss": step + 100})
    assert curve(tmp_path) == [(0, 0), (1, 1), (2, 2), (3, 3), *((s, s + 100) for s in range(4, 8))]


def test_the_projector_has_vectors_thumbnails_and_every_variable(tmp_path: Path) -> None:
    embeddings = vectors(7)
    night = ["day", "night\tor\ndusk", "", "day", "day", "night", "day"]
    with TensorBoard(tmp_path) as board:
        board.projector(40, embeddings, pictures(7), {"identity": numbers(7), "light": night})
    (shown,) = config(tmp_path).embeddings
    np.testing.assert_allclose(np.loadtxt(tmp_path / shown.tensor_path), embeddings, rtol=1e-5)
    table = [line.split("\t") for line in (tmp_path / shown.metadata_path).read_text().splitlines()]
    assert table[0] == ["identity", "light"]
    assert [row[0] for row in table[1:]] == numbers(7)
    assert [row[1] for row in table[1:4]] == ["day", "night or dusk", "-"]
    assert list(shown.sprite.single_image_dim) == [64, 64]
    with Image.open(tmp_path / shown.sprite.image_path) as sprite:
        assert sprite.size == (3 * 64, 3 * 64)
        middles = np.asarray(sprite)[32::64, 32::64].reshape(9, 3).tolist()
    assert middles[:7] == [[number, 0, 200] for number in range(7)]
    assert middles[7:] == [[0, 0, 0]] * 2


def test_thumbnails_keep_their_proportions(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        board.projector(1, vectors(1), pictures(1, 300, 150), {"identity": ["a"]})
    with Image.open(tmp_path / config(tmp_path).embeddings[0].sprite.image_path) as sprite:
        filled = np.asarray(sprite)[..., 2] == 200
    assert filled.all(0).tolist() == [False] * 16 + [True] * 32 + [False] * 16


def test_a_single_variable_has_no_header_line(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as board:
        board.projector(1, vectors(2), pictures(2), {"identity": ["a", "b"]})
    assert (tmp_path / config(tmp_path).embeddings[0].metadata_path).read_text() == "a\nb\n"


def test_many_images_are_thinned_out_evenly(tmp_path: Path) -> None:
    count = 5000
    with TensorBoard(tmp_path) as board:
        board.projector(1, vectors(count), pictures(count, 4, 4), {"identity": numbers(count)})
    (shown,) = config(tmp_path).embeddings
    kept = np.loadtxt(tmp_path / shown.metadata_path, dtype=int)
    assert len(kept) == len(set(kept)) == 2000
    assert (kept[0], kept[-1]) == (0, count - 1)
    assert set(np.diff(kept)) == {2, 3}
    np.testing.assert_allclose(
        np.loadtxt(tmp_path / shown.tensor_path), vectors(count)[kept], rtol=1e-5
    )
    with Image.open(tmp_path / shown.sprite.image_path) as sprite:
        assert sprite.size == (45 * 64, 45 * 64)
        middles = np.asarray(sprite)[32::64, 32::64].reshape(-1, 3).astype(int)[:2000]
    np.testing.assert_array_equal(middles[:, 0] + 256 * middles[:, 1], kept)


def test_the_projector_shows_the_last_embeddings_alone_after_a_resume_too(tmp_path: Path) -> None:
    def show(board: TensorBoard, step: int, name: str) -> None:
        board.projector(step, vectors(2), pictures(2), {"identity": [name, name]})

    def tables() -> list[str]:
        paths = [tmp_path / shown.metadata_path for shown in config(tmp_path).embeddings]
        assert sorted(tmp_path.rglob("metadata.tsv")) == paths
        return [path.read_text().split()[0] for path in paths]

    with TensorBoard(tmp_path) as board:
        show(board, 20, "before")
    assert (steps(tmp_path), tables()) == (["projector:00020"], ["before"])
    with TensorBoard(tmp_path, after=20) as board:
        show(board, 20, "again")
    assert (steps(tmp_path), tables()) == (["projector:00020"], ["again"])
    with TensorBoard(tmp_path, after=20) as board:
        show(board, 30, "after")
    assert (steps(tmp_path), tables()) == (["projector:00030"], ["after"])


@pytest.mark.parametrize(
    ("count", "names", "message"),
    [
        (3, ["a", "b"], r"3 images, but \[2, 3\]"),
        (0, [], "0 images"),
    ],
)
def test_lengths_that_differ_are_refused(
    tmp_path: Path, count: int, names: list[str], message: str
) -> None:
    with TensorBoard(tmp_path) as board, pytest.raises(ValueError, match=message):
        board.projector(1, vectors(count), pictures(count), {"identity": names})


def test_vectors_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    broken = vectors(2)
    broken[1, 1] = np.nan
    with TensorBoard(tmp_path) as board, pytest.raises(ValueError, match="step 9 are not finite"):
        board.projector(9, broken, pictures(2), {"identity": ["a", "b"]})
