"""``perennial model import``: ONNX and TorchScript files, and what is refused of them."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper

from schemas.choices import InferenceRuntime, Precision
from schemas.errors import SetupError
from schemas.settings import load_settings
from tests.environment import default_settings
from tests.unit.others_models import (
    IMAGENET,
    ORIENTATION_FEATURES,
    constant,
    means,
    orientation,
    script,
    write_graph,
)
from tests.unit.test_cli_model import run, said, version_of
from workers.model.imported.script_backbone import open_script
from workers.model.model import EmbeddingModel, load_model
from workers.model.model_folder import read_model

PLAIN = ("--mean", "0,0,0", "--std", "1,1,1", "--scale", "255")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    default_settings(monkeypatch)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "model"


def loaded(folder: Path, runtime: InferenceRuntime = InferenceRuntime.TORCH) -> EmbeddingModel:
    return load_model(load_settings(model=folder, runtime=runtime))


def photographs(size: tuple[int, int], count: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, *size, 3), dtype=np.uint8)


def imports(source: Path, out: Path, *options: str) -> EmbeddingModel:
    result = run("import", source, out, *options)
    assert result.exit_code == 0, result.stderr
    return loaded(out)


def refused(source: Path | str, out: Path, *options: str) -> str:
    result = run("import", source, out, *options)
    assert result.exit_code in (1, 2), result.stdout
    assert not out.exists()
    return said(result)


def test_a_classifier_from_a_wheel(out: Path) -> None:
    model = imports(orientation(), out, *IMAGENET, "--output", ORIENTATION_FEATURES)
    images = photographs((224, 224))
    vectors = model.embed(images)
    assert (model.input_size, model.dimension) == ((224, 224), vectors.shape[1])

    # Computed without us: the features that go into the last layer, of normalised images.
    pixels = images.astype(np.float32).transpose(0, 3, 1, 2) / 255
    mean = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
    std = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)
    session = onnxruntime.InferenceSession(orientation())
    (scores,) = session.run(None, {"x": (pixels - mean) / std})
    network = read_model(out)[1]
    assert network["backbones.0._extra_state"].dtype == torch.uint8
    assert np.allclose(_scores(vectors_of=model, images=images), scores, atol=1e-4)


def _scores(*, vectors_of: EmbeddingModel, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Go on from our features to the scores, by the weights of the file's last layer."""
    graph = onnx.load(orientation()).graph
    weights = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    product = next(
        n for n in graph.node if ORIENTATION_FEATURES in n.input and n.op_type == "MatMul"
    )
    added = next(n for n in graph.node if product.output[0] in n.input)
    bias = next(weights[name] for name in added.input if name in weights)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
    with torch.inference_mode():
        features = torch.cat(vectors_of._network.network.pooled(tensor)).numpy()  # type: ignore[operator]
    logits = features @ weights[product.input[1]] + bias.reshape(-1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_scores_of_classes_are_pointed_out(out: Path) -> None:
    result = run("import", orientation(), out, *IMAGENET)
    assert result.exit_code == 0
    assert f"--output {ORIENTATION_FEATURES}" in said(result)


def test_the_version_covers_the_program(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    imports(orientation(), one, *IMAGENET, "--name", "page")
    imports(orientation(), two, *IMAGENET, "--name", "page", "--output", ORIENTATION_FEATURES)
    assert version_of(one) != version_of(two)


@pytest.mark.parametrize("shape", [("n", 3, 8, 8), (1, 3, 8, 8), (2, 3, 8, 8)])
def test_files_for_a_fixed_number_of_images(
    tmp_path: Path, out: Path, shape: tuple[str | int, ...]
) -> None:
    model = imports(means(tmp_path / "means.onnx", shape), out, *PLAIN)
    images = photographs((8, 8))
    expected = images.mean(axis=(1, 2))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(model.embed(images), expected, atol=1e-5)


def test_channels_last_and_bytes(tmp_path: Path, out: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["y"], axes=[1, 2], keepdims=0),
    ]
    shape = ("n", 8, 8, 3)
    path = write_graph(tmp_path / "last.onnx", nodes, shape, kind=TensorProto.UINT8)
    images = photographs((8, 8))
    expected = images.mean(axis=(1, 2))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(imports(path, out, *PLAIN).embed(images), expected, atol=1e-5)


def test_what_other_runtimes_make_of_it(tmp_path: Path, out: Path) -> None:
    imports(means(tmp_path / "means.onnx"), out, *PLAIN)
    assert loaded(out, InferenceRuntime.AUTO).runtime is InferenceRuntime.TORCH
    with pytest.raises(SetupError, match="an ONNX file already"):
        loaded(out, InferenceRuntime.ONNXRUNTIME)
    with pytest.raises(SetupError, match="PERENNIAL_PRECISION=bfloat16"):
        load_model(load_settings(model=out, precision=Precision.BFLOAT16))


def test_torchscript(tmp_path: Path, out: Path) -> None:
    path = script(tmp_path / "small.pt")
    model = imports(path, out, *PLAIN, "--size", "16x16", "--name", "small")
    images = photographs((16, 16))
    with torch.inference_mode():
        given = torch.from_numpy(images).permute(0, 3, 1, 2).float()
        features = open_script(path.read_bytes())(given).flatten(1)
        expected = unit_norm(features)
    assert np.allclose(model.embed(images), expected, atol=1e-4)
    assert model.version.startswith("small@")


def unit_norm(features: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(torch.nn.functional.normalize(features, dim=1).numpy())


def test_nan_is_refused_with_what_was_seen(tmp_path: Path, out: Path) -> None:
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("Neg", ["p"], ["m"]),
        helper.make_node("Sqrt", ["m"], ["y"]),
    ]
    path = write_graph(tmp_path / "nan.onnx", nodes, out=("n", 3, 1, 1))
    assert "nan" in refused(path, out, *PLAIN)


def test_vectors_that_depend_on_the_batch(tmp_path: Path, out: Path) -> None:
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("ReduceMean", ["p"], ["m"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["p", "m"], ["s"]),
        helper.make_node("Add", ["s", "one"], ["y"]),
    ]
    one = constant("one", np.ones((1, 3, 1, 1), np.float32))
    path = write_graph(tmp_path / "batch.onnx", nodes, out=("n", 3, 1, 1), constants=[one])
    message = refused(path, out, *PLAIN)
    assert "other vectors for the same image alone" in message


def test_vectors_that_depend_on_the_place_in_the_batch(tmp_path: Path, out: Path) -> None:
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("CumSum", ["p", "first"], ["y"]),
    ]
    first = constant("first", np.array(0, np.int64))
    path = write_graph(tmp_path / "sum.onnx", nodes, out=("n", 3, 1, 1), constants=[first])
    assert "for the same image" in refused(path, out, *PLAIN)


def test_one_vector_for_all(tmp_path: Path, out: Path) -> None:
    path = means(tmp_path / "means.onnx")
    assert "same vector" in refused(path, out, "--mean", "-1e6,-1e6,-1e6", "--std", "1,1,1")


@pytest.mark.parametrize(
    ("shape", "given", "words"),
    [
        (("n", 3, 8, 8), ("n", 3, 8, 8, 1), "expected (n, features)"),
        (("n", 1, 8, 8), ("n", 1, 1, 1), "expected (n, 3, h, w)"),
    ],
)
def test_shapes_that_do_not_fit(
    tmp_path: Path,
    out: Path,
    shape: tuple[str | int, ...],
    given: tuple[str | int, ...],
    words: str,
) -> None:
    axes = constant("axes", np.array([4], np.int64))
    node = (
        helper.make_node("Unsqueeze", ["x", "axes"], ["y"])
        if len(given) == 5
        else helper.make_node("GlobalAveragePool", ["x"], ["y"])
    )
    path = write_graph(tmp_path / "odd.onnx", [node], shape, given, constants=[axes])
    assert words in refused(path, out, *PLAIN)


def test_what_is_missing_is_named_with_its_option(tmp_path: Path, out: Path) -> None:
    path = means(tmp_path / "any.onnx", ("n", 3, "h", "w"))
    assert "--size 224x224" in refused(path, out, *PLAIN)
    assert "--mean .485" in refused(path, out, "--size", "8x8")
    assert "takes 8x8" in refused(means(tmp_path / "8.onnx"), out, *PLAIN, "--size", "9x9")
    assert "the last ones are y" in refused(path, out, *PLAIN, "--output", "z")
    assert "no such file" in refused(tmp_path / "none.onnx", out)
    assert "has its weights in it" in refused(path, out, *PLAIN, "--weights", str(path))
    small = script(tmp_path / "small.pt")
    assert "gives what it returns" in refused(small, out, *PLAIN, "--output", "y")
    assert "--size 224x224" in refused(small, out, *PLAIN)
    assert "'a,b'" in refused(path, out, "--mean", "a,b")


def test_files_that_are_something_else(tmp_path: Path, out: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("not a model")
    assert "not an ONNX file" in refused(text, out, *PLAIN)
    assert "not an ONNX file" in refused(text, out, *PLAIN, "--output", "y")
    other = tmp_path / "text.pt"
    other.write_text("not a model")
    assert "no TorchScript file" in refused(other, out, *PLAIN, "--size", "8x8")


def test_weights_beside_the_file_are_not_followed(tmp_path: Path, out: Path) -> None:
    """A file of somebody may name any path as the place of its weights."""
    path = means(tmp_path / "means.onnx")
    model = onnx.load(path)
    secret = model.graph.initializer.add(name="secret", data_type=TensorProto.FLOAT, dims=[1])
    secret.data_location = TensorProto.EXTERNAL
    secret.external_data.add(key="location", value="../../../../etc/passwd")
    model.graph.node[0].output[0] = "p"
    model.graph.node.append(helper.make_node("Add", ["p", "secret"], ["y"]))
    path.write_bytes(model.SerializeToString())
    assert "not an ONNX file that can be run" in refused(path, out, *PLAIN)


def test_its_page_and_its_figures(tmp_path: Path, out: Path) -> None:
    imports(means(tmp_path / "means.onnx"), out, *PLAIN, "--about", "three means")
    shown = run("show", out)
    assert "three means" in shown.stdout
    listed = run("list", tmp_path, "--json")
    assert '"parameters": 3' in listed.stdout, "those of our own around the file"
    copy = tmp_path / "copy"
    assert run("export", out, copy).exit_code == 0
    assert version_of(copy) == version_of(out)


def test_preprocessing_in_a_file(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "images.json"
    file.write_text('{"mean": [0.5, 0.5, 0.5], "std": [1, 1, 1], "size": [8, 8]}')
    path = means(tmp_path / "any.onnx", ("n", 3, "h", "w"))
    imports(path, out, "--preprocessing", str(file), "--std", "2,2,2")
    architecture = read_model(out)[0].architecture
    assert architecture.mean == (127.5, 127.5, 127.5)
    assert architecture.std == (510.0, 510.0, 510.0)
    file.write_text('{"sise": 8}')
    assert "sise" in refused(path, tmp_path / "again", "--preprocessing", str(file))
