"""The model card as a page for people: ``README.md`` of an exported model."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from lab.cards.figures import (
    POINTS,
    BackgroundFigure,
    ModelFigures,
    Provenance,
    VariantFigures,
    evaluation_of,
    provenance_of,
)
from lab.cards.stored import StoredModel
from lab.evaluate.measures import at
from lab.evaluate.report import Mean
from lab.evaluate.scored import OperatingTarget
from lab.evaluate.words import INTERVALS, OVERALL, milliseconds, percent, whole
from lab.shown.markdown import table
from workers.model.network import Architecture
from workers.model.pooling import Pooling
from workers.model.views import number_of

_SETTINGS = {
    "loss": "loss",
    "pretrained": "from ImageNet weights",
    "steps": "steps",
    "identities": "identities in a batch",
    "images": "images of each",
    "quarter_turns": "each quarter turn another identity",
    "predict": "tells of",
    "erase": "blind to",
    "reverse": "hides by gradient reversal",
    "group_by": "batches spread over",
    "linear_map": "metric learned on top",
    "seed": "seed",
}
_LEGEND = (
    "TPIR: share of the known probes that are found under their name, at a share (FPIR) of the "
    "unknown ones that are given one. oracle: the threshold is taken from the test's own "
    "impostors; honest: from the calibrate part, and then the FPIR is what it met. ± is the "
    f"standard deviation over the splits; {INTERVALS}"
)


def page(model: StoredModel) -> str:
    """Return the page, Markdown."""
    card = model.card
    provenance, evaluation = provenance_of(card), evaluation_of(card)
    sections = [f"# {model.version}", card.about, _use(), "## Network", _network(model)]
    sections += ["## Training"]
    sections += ["Nothing is said of it."] if provenance is None else _training(provenance)
    sections += ["## Evaluation"]
    sections += ["Not evaluated yet."] if evaluation is None else _evaluation(evaluation)
    return "\n\n".join(filter(None, sections)) + "\n"


def _use() -> str:
    return (
        "An embedding model for Perennial: set `PERENNIAL_MODEL` to this folder. The version is "
        "the name and a hash of the architecture and the weights; `model.json` says all that "
        "stands here and more."
    )


def _network(model: StoredModel) -> str:
    architecture: Architecture = model.card.architecture
    height, width = architecture.input_size
    grid = (
        f" of {architecture.grid[0]} × {architecture.grid[1]}"
        if architecture.pooling is Pooling.GRID
        else ""
    )
    facts = {
        "embedding": f"{architecture.dimension} numbers, unit norm",
        "input": f"{height} × {width} pixels (height × width), "
        + ("colour" if architecture.colour else "grey"),
        "light": architecture.light,
        "backbone": " and ".join(architecture.backbones),
        "pooling": f"{architecture.pooling}{grid}",
        "head": architecture.head,
        "parameters": f"{model.parameters:,}",
    }
    return _bullets(facts)


def _training(provenance: Provenance) -> list[str]:
    settings = {facts: provenance.config.get(name) for name, facts in _SETTINGS.items()}
    every: dict[str, JsonValue] = {**provenance.data, **settings, **provenance.figures}
    parts = [_bullets({_spoken(name): _text(value) for name, value in every.items()})]
    for title, facts in (
        ("### What its heads tell of the calibrate part", provenance.heads_on_calibrate),
        ("### What a direction of its space tells", provenance.directions),
    ):
        if facts:
            parts += [title, _figures(facts)]
    return parts


def _figures(facts: Mapping[str, BackgroundFigure]) -> str:
    rows = [
        [name, figure.measure, _text(figure.value), _text(figure.chance), str(figure.images)]
        for name, figure in facts.items()
    ]
    return table(["variable", "measure", "value", "by chance", "images"], rows)


def _evaluation(evaluation: ModelFigures) -> list[str]:
    about = f"On {evaluation.data} ({evaluation.images} images), {evaluation.made_at:%Y-%m-%d}."
    parts = [about, _LEGEND]
    for variant in evaluation.variants:
        views = f"{variant.views} ({number_of(variant.views)})"
        splits = f"split {', '.join(map(str, variant.splits))}"
        facts = [f"{variant.distance} distance", f"views: {views}", splits]
        if variant.image_ms is not None:
            facts.append(f"{milliseconds(variant.image_ms)} ms an image")
        parts += [f"### {variant.name}", "; ".join(facts), *_measured(variant, evaluation.fpirs)]
    return parts


def _measured(variant: VariantFigures, fpirs: tuple[float, ...]) -> Iterator[str]:
    overall, points = [], []
    for label, measures in _labelled(variant):
        overall.append([label, *(whole(measures.get(name)) for name in OVERALL)])
        for fpir in fpirs:
            cells = (
                whole(measures.get(at(m, OperatingTarget(fpir, rule)))) for _, m, rule in POINTS
            )
            points.append([label, percent(fpir), *cells])
    yield table(["scenario", *OVERALL.values()], overall)
    yield table(["scenario", "FPIR", *(heading for heading, _, _ in POINTS)], points)


def _labelled(variant: VariantFigures) -> Iterator[tuple[str, Mapping[str, Mean]]]:
    for name, scenario in variant.scenarios.items():
        yield name, scenario.measures
        if scenario.alike:
            many = f"{len(variant.all_splits)} splits, each with its own model of this kind"
            yield f"{name}, {many}", scenario.alike


def _bullets(facts: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {text}" for name, text in facts.items() if text)


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace("tpir", "TPIR").replace("fpir", "FPIR")


def _text(value: JsonValue) -> str:
    """Say a value; nothing for what was not used."""
    match value:
        case bool():
            return "yes" if value else ""
        case None:
            return ""
        case float():
            return f"{value:.4g}"
        case list():
            return ", ".join(map(str, value))
    return str(value)
