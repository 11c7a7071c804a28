"""What a change would do, for people: as Markdown for the terminal, and the curve in a folder."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from client.activation import words_of
from lab.evaluate.words import percent
from lab.shown.markdown import plain, table
from lab.shown.report import writing
from lab.shown.style import COLOURS, INK, QUIET, legend, panels, save, title
from lab.whatif.agreement import Agreement, AnswerChange, AnswerReport
from lab.whatif.answers import Source, Strangers, Verified
from lab.whatif.whatif import CurvePoint, WhatIf

PER = 1000

CHANGES = {
    AnswerChange.SAME: "same",
    AnswerChange.OTHER_IDENTITY: "other identity",
    AnswerChange.NOW_IDENTIFIED: "now identified",
    AnswerChange.NOW_REVIEW: "now review",
}
_MIN_RATE = 0.01  # false matches per PER probes: below this, the axis is linear down to none


def agreement_summary(agreement: Agreement, before: str, after: str) -> str:
    """Return what is printed: totals by cluster, examples, and what people said."""
    if not agreement.probes:
        return "no recent probes to compare by: nothing is known of what will change"
    head = f"{agreement.probes} probes, {before} → {after}, against the present gallery"
    parts = [f"# {plain(head)}", _totals(agreement)]
    parts += [_examples(agreement)] if agreement.examples else []
    return "\n\n".join([*parts, *map(plain, _remarks(agreement))])


def _totals(agreement: Agreement) -> str:
    rows = [
        [each.cluster, *_with_sum([each.counts[kind] for kind in CHANGES]), each.description]
        for each in agreement.clusters
    ]
    totals = [agreement.counts[kind] for kind in CHANGES]
    rows.append(["all", *_with_sum(totals), ""])
    rows.append(["", "", *(f"{count / agreement.probes:.1%}" for count in totals), ""])
    return table(
        ["cluster", "probes", *CHANGES.values(), ""],
        rows,
        right=range(1, len(CHANGES) + 2),
        bold_rows=(len(rows) - 2, len(rows) - 1),
    )


def _with_sum(counts: list[int]) -> list[str]:
    return [str(count) for count in (sum(counts), *counts)]


def _examples(agreement: Agreement) -> str:
    return table(
        ["for example", "", "before", "after"],
        (
            [each.event_id, CHANGES[each.kind], _answer(each.before), _answer(each.after)]
            for each in agreement.examples
        ),
    )


def _answer(answer: AnswerReport) -> str:
    """Return the name, and the distance beside the threshold that decided."""
    name = "review" if answer.identity is None else answer.identity
    if answer.distance is None:
        return name
    if answer.threshold is None:
        return f"{name} {answer.distance:.3f}, no τ yet"
    sign = ">" if answer.identity is None else "≤"
    return f"{name} {answer.distance:.3f} {sign} {answer.threshold:.3f}"


def _remarks(agreement: Agreement) -> list[str]:
    notes = []
    if agreement.verified is not None:
        before, after = agreement.verified
        named = before.right + before.wrong + before.review
        notes.append(f"Of {named} that people named: {_counted(before)}; then {_counted(after)}.")
    if agreement.left_out:
        notes.append(f"{agreement.left_out} could not be answered: not embeddings of this system.")
    if agreement.unlike is not None:
        notes.append(agreement.unlike)
    return notes


def _counted(verified: Verified) -> str:
    return f"{verified.right} right, {verified.wrong} wrong, {verified.review} to review"


def curve_summary(curve: WhatIf) -> str:
    """Return what is printed: the curve, and what it rests on."""
    head = (
        f"{curve.probes} probes against {curve.entries} entries of {curve.identities} identities, "
        f"model {curve.model}, conditioning: {words_of(curve.conditioning)}"
    )
    return "\n\n".join([f"# {plain(head)}", _curve(curve), *map(plain, notes(curve))])


def notes(curve: WhatIf) -> Iterator[str]:
    """Yield what one must know to read the curve."""
    yield (
        f"→ is asked for at present. False matches: strangers that get a name, per {PER} probes, "
        "with the interval of 95 in 100 cases: where they are rare, nearly all see none. No probe "
        "is compared with its own entry."
    )
    yield strangers_words(curve.strangers)
    if curve.points[0].verified is not None:
        yield "Right and wrong: of the probes that people named."
    if curve.left_out:
        yield f"{curve.left_out} embeddings are of other models or cannot be used: left out."
    if curve.unlike is not None:
        yield curve.unlike
    yield (
        "To change it: PERENNIAL_TARGET_FPIR of `perennial streams`."
        if curve.conditioning is None
        else "To change it: `perennial fit` with another --fpir, then `perennial activate`."
    )


def strangers_words(strangers: Strangers) -> str:
    """Say how many probes are taken to be strangers, and why."""
    share = percent(round(strangers.share, 4))
    if strangers.source is Source.GIVEN:
        return f"Strangers: {share} of the probes, as given."
    if strangers.source is Source.ASSUMED:
        return (
            "Nobody has named any of these probes, so all are counted as strangers, the worst "
            "case: give --strangers if you know their share."
        )
    return (
        f"Strangers: {share} of the probes, by the {strangers.answered} that people named of the "
        f"{strangers.asked} that they were asked about."
    )


def _curve(curve: WhatIf) -> str:
    verified = curve.points[0].verified is not None
    heading = ["", "FPIR", "to review", "identified", "false matches", ""]
    heading += ["right", "wrong"] if verified else []
    return table(
        heading,
        (list(_cells(point)) for point in curve.points),
        right=range(1, len(heading)),
        bold_rows=[number for number, point in enumerate(curve.points) if point.asked],
    )


def _cells(point: CurvePoint) -> Iterator[str]:
    yield "→" if point.asked else ""
    yield percent(point.fpir)
    yield f"{point.review:.1%}"
    yield f"{point.identified:.1%}"
    expected = point.false_matches
    yield f"{PER * expected.share:.2f}"
    yield f"[{PER * expected.low:.2f}, {PER * expected.high:.2f}]"
    if point.verified is not None:
        yield str(point.verified.right)
        yield str(point.verified.wrong)


def write(folder: Path, curve: WhatIf) -> None:
    """Write ``whatif.json`` and ``whatif.png``; the folder is made."""
    with writing(folder):
        (folder / "whatif.json").write_text(curve.model_dump_json(indent=1), encoding="utf-8")
        save(draw(curve), folder / "whatif.png")


def draw(curve: WhatIf) -> Figure:
    """Draw false matches over review load, a dot for each FPIR; the present one stands out."""
    figure, grid = panels(1, 1, width=6.4, height=4.8)
    axis = grid[0][0]
    title(axis, [words_of(curve.conditioning), f"the last {curve.probes} probes"])
    reviews = [100 * point.review for point in curve.points]
    shares, lows, highs = (
        [PER * point.false_matches[number] for point in curve.points] for number in range(3)
    )
    axis.fill_between(reviews, lows, highs, color=COLOURS[0], alpha=0.15, linewidth=0)
    axis.plot(reviews, shares, color=COLOURS[0], marker="o", ms=4, lw=1.8, label="to be expected")
    _observed(axis, curve, reviews)
    for point in curve.points:
        _name(axis, point)
    _axes(axis, min([share for share in shares if share > 0], default=1.0))
    legend(figure, axis)
    return figure


def _name(axis: Axes, point: CurvePoint) -> None:
    at = (100 * point.review, PER * point.false_matches.share)
    if point.asked:
        axis.plot(*at, "o", ms=9, color=COLOURS[1], label="at present", zorder=3)
    axis.annotate(
        percent(point.fpir),
        at,
        xytext=(6, 5),
        textcoords="offset points",
        fontsize=8,
        color=COLOURS[1] if point.asked else INK,
        weight="bold" if point.asked else "normal",
    )


def _observed(axis: Axes, curve: WhatIf, reviews: list[float]) -> None:
    """Draw what people's answers tell: wrong names among the probes that they named."""
    wrong = [PER * p.verified.wrong / curve.probes for p in curve.points if p.verified is not None]
    if wrong:
        axis.plot(
            reviews,
            wrong,
            "x",
            ms=6,
            color=QUIET,
            clip_on=False,
            label="wrong, by people's answers",
        )


def _axes(axis: Axes, least: float) -> None:
    axis.set_yscale("symlog", linthresh=max(least, _MIN_RATE))
    axis.set_ylim(bottom=0)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axis.margins(x=0.1)
    axis.set_xlabel("share of the probes that go to review", fontsize=9)
    axis.set_ylabel(f"false matches per {PER} probes", fontsize=9)
