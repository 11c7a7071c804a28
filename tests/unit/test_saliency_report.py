"""What is looked at and reported: the variables, their pairs, and where images lie."""

import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lab.images.backgrounds import fit_variables
from lab.saliency.pairs import AllPairs
from lab.saliency.projections import VIEWS, project
from lab.saliency.report import summary
from lab.shown.markdown import TerminalMarkdown
from recognition.saliency import Gain
from recognition.variable import Kind
from schemas.errors import SetupError
from schemas.event import Background
from tests.unit.angles import at_angles
from tests.unit.saliency_findings import declared, looked


def test_variables_are_fitted_as_they_are_declared_or_else_as_they_look() -> None:
    backgrounds: list[Background] = [
        {"hour": i % 24, "age": ("old", "young")[i % 2], "camera": f"c{i % 3}", "site": "here"}
        for i in range(48)
    ]
    asked, left_out = fit_variables(backgrounds, None)
    kinds = {variable.name: variable.kind for variable in asked}
    assert kinds == {"hour": Kind.CONTINUOUS, "age": Kind.BINARY, "camera": Kind.NOMINAL}
    assert left_out == {
        "site": "background site: there is only the value 'here'; it takes two to tell "
        "backgrounds apart"
    }
    declaration = declared(
        hour={"type": "cyclic", "period": 24}, age={"type": "ordinal", "values": ["young", "old"]}
    )
    (age, hour), _ = fit_variables(backgrounds, ["age", "hour", "age"], declaration)
    assert (age.kind, age.values) == (Kind.ORDINAL, ("young", "old"))
    assert (hour.kind, hour.period) == (Kind.CYCLIC, 24)


def test_what_names_the_image_is_left_out_unless_it_is_asked_for() -> None:
    backgrounds: list[Background] = [
        {"clip": f"c{i}", "light": ("day", "dusk")[i % 2]} for i in range(41)
    ]
    variables, left_out = fit_variables(backgrounds, None)
    assert [variable.name for variable in variables] == ["light"]
    assert left_out == {"clip": "41 names; ask for it with --by clip"}
    assert [v.name for v in fit_variables(backgrounds, ["clip"])[0]] == ["clip"]


def test_without_a_variable_there_is_nothing_to_look_at() -> None:
    with pytest.raises(SetupError, match="no image has the variable 'weather'; known: site"):
        fit_variables([{"site": "here"}], ["weather"])
    with pytest.raises(SetupError, match="no variable to look at: background site: there is only"):
        fit_variables([{"site": "here"}], None)
    with pytest.raises(SetupError, match="the images have no background"):
        fit_variables([{}], None)


def test_distances_by_pair_of_values() -> None:
    # Cosine distances by hand: 1 at 90°, 2 at 180°, ½ at 60°.
    pairs = AllPairs(at_angles([0, 90, 180, 60]), ["a", "a", "b", "b"])
    by = pairs.by(np.array([0, 1, 0, -1]), 2)
    genuine, impostor = by.genuine.mean, by.impostor.mean
    assert genuine[0, 1] == genuine[1, 0] == pytest.approx(1)  # 0° and 90°
    assert np.isnan(genuine[0, 0])
    assert impostor[0, 0] == pytest.approx(2)  # 0° and 180°
    assert impostor[0, 1] == pytest.approx(1)  # 90° and 180°
    assert by.genuine.counts.sum(axis=2).tolist() == [[0, 1], [1, 0]]
    assert by.impostor.counts.sum(axis=2).tolist() == [[1, 1], [1, 0]]
    assert by.impostor.counts[0, 0, -1] == 1  # the largest of all is in the last bin
    assert np.isnan(by.separation).all()  # single pairs have no spread


def test_separation_is_the_difference_in_standard_deviations() -> None:
    rng = np.random.default_rng(0)
    who, codes = np.repeat([0, 1], 20), np.tile([0, 1], 20)
    angles = 40 * who + rng.normal(0, 8, 40)
    x = at_angles(angles.tolist())
    by = AllPairs(x, [str(one) for one in who]).by(codes, 2)
    near = 1 - x.astype(np.float64) @ x.T.astype(np.float64)
    for a in range(2):
        for b in range(2):
            one, other = np.meshgrid(np.arange(40), np.arange(40), indexing="ij")
            which = (one < other) & (
                ((codes[one] == a) & (codes[other] == b))
                | ((codes[one] == b) & (codes[other] == a))
            )
            same = who[one] == who[other]
            genuine, impostor = near[which & same], near[which & ~same]
            expected = (impostor.mean() - genuine.mean()) / np.sqrt(
                (genuine.var() + impostor.var()) / 2
            )
            assert by.separation[a, b] == pytest.approx(expected, rel=1e-4)


def test_copies_of_one_image_have_no_distances_but_are_counted() -> None:
    by = AllPairs(at_angles([0, 0, 0]), ["a", "a", "b"]).by(np.zeros(3, dtype=np.intp), 1)
    assert by.genuine.counts.sum() == 1
    assert by.impostor.counts.sum() == 2
    assert by.genuine.mean[0, 0] == 0


@pytest.fixture(scope="module")
def umap_compiled() -> None:
    """Compile UMAP untraced: to measure coverage meanwhile takes twice the time."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        project(np.random.default_rng(1).normal(size=(12, 4)).astype(np.float32), lambda: None)
    finally:
        sys.settrace(tracer)


@pytest.mark.usefixtures("umap_compiled")
def test_projections_keep_apart_what_lies_apart() -> None:
    rng = np.random.default_rng(0)
    who = np.repeat([0, 1], 20)
    x = (np.eye(8)[who] * 4 + rng.normal(size=(40, 8)) / 4).astype(np.float32)
    done: list[int] = []
    projections = project(x, lambda: done.append(1))
    assert [one.name for one in projections] == ["PCA", "t-SNE", "UMAP"]
    assert len(done) == VIEWS
    for one in projections:
        assert (one.flat.shape, one.deep.shape) == ((40, 2), (40, 3))
        for placed in (one.flat, one.deep):
            centres = np.stack([placed[who == i].mean(axis=0) for i in (0, 1)])
            nearest = np.linalg.norm(placed[:, None] - centres, axis=2).argmin(axis=1)
            assert (nearest == who).mean() > 0.9
    assert np.abs(projections[0].flat[:, 0]).max() > np.abs(projections[0].flat[:, 1]).max()


def test_few_images_of_few_dimensions_have_a_pca() -> None:
    (pca,) = project(at_angles([0, 10, 90]), lambda: None)
    assert pca.deep.shape == (3, 3)
    assert (pca.deep[:, 2] == 0).all()


def test_the_screen_says_the_same(tmp_path: Path) -> None:
    report = looked(tmp_path, Gain(0.05, 0.02, 0.08, 0.3, 0.35))[0]
    unread = report.variables[0].model_copy(update={"read": None, "gain": None})
    stream = StringIO()
    Console(file=stream, width=200).print(
        TerminalMarkdown(
            summary(report.model_copy(update={"variables": (unread, *report.variables[1:])}))
        )
    )
    said = stream.getvalue()
    assert "herd: 120 images of 10 identities" in said
    assert "shifts and spreads" in said
    assert "+0.050 [+0.020, +0.080]" in said
    assert "confounded" in said
