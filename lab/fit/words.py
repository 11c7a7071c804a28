"""What a fit chose, gains and promises, in sentences and as Markdown for the terminal."""

from collections.abc import Sequence
from math import ceil, log10
from typing import Final

from lab.evaluate.words import percent
from lab.fit.report import ExpectedFpir, FitReport, WayReport
from lab.shown.markdown import bold, plain, table

MAX_NAMED: Final = 3
"""Variables that are named in a sentence."""

ENOUGH_HELD_OUT: Final = 10
"""With fewer identities it is said how unsure thresholds are."""


def summary(report: FitReport) -> str:
    """Return what is printed: what was chosen, what it gains and promises, and the clusters."""
    origin = report.origin
    title = (
        f"{origin.data}: {origin.seen.images:,} images of {origin.seen.identities} identities, "
        f"judged by {origin.held_out.images:,} of {origin.held_out.identities} others"
    )
    unsure = doubt(report)
    clusters = table(
        ["cluster", "what it holds", "strangers", "threshold"],
        (
            [each.name, each.description, f"{each.strangers}", f"× {each.threshold:.2f}"]
            for each in report.clusters
        ),
    )
    parts = [f"# {plain(title)}", plain(finding(report)), plain(promise(report))]
    parts += [] if unsure is None else [bold(unsure)]
    return "\n\n".join([*parts, clusters])


def finding(report: FitReport) -> str:
    """Return what was chosen, and what it gains, in one paragraph."""
    if len(report.clusters) > 1:
        return f"{_clustered(report)} {_without_clusters(report)}"
    if not any(variable.weight is not None for variable in report.variables):
        why = "No background variable acts on the embeddings of an identity"
    else:
        why = "No gain from clusters"
    if report.race.chosen == 0:
        return f"{why}: one cluster, and distances as they are. {_best_other(report)}"
    return f"{why}: one cluster ({report.chosen.way.partition(', ')[2]}). It {_gains(report)}"


def promise(report: FitReport) -> str:
    """Return the FPIR to be expected at the one asked for."""
    asked, strangers = report.asked, report.origin.held_out.identities
    return (
        f"Asked for an FPIR of {percent(asked.fpir)}, expect {between(asked)} when {strangers} "
        "strangers come, as many as were held out."
    )


def doubt(report: FitReport) -> str | None:
    """Return why the thresholds are not to be relied on, if they are not."""
    held_out = report.origin.held_out.identities
    if held_out >= ENOUGH_HELD_OUT:
        return None
    return (
        f"Only {held_out} identities were held out to set the thresholds. With fewer than "
        f"{ENOUGH_HELD_OUT} the FPIR to be expected is little more than a guess."
    )


def between(expected: ExpectedFpir) -> str:
    """Return the interval of the FPIR, as fine as what was asked for.

    >>> between(ExpectedFpir(fpir=0.01, low=0.0001, high=0.0374, threshold=0.5))
    '0.0 to 3.7 %'
    """
    decimals = max(1, ceil(-log10(100 * expected.fpir)))
    return f"{100 * expected.low:.{decimals}f} to {100 * expected.high:.{decimals}f} %"


def interval(way: WayReport) -> str:
    """Return a gain in points, with its interval.

    >>> interval(WayReport(way="2 clusters", tpir=0.5, gain=0.041, low=0.012, high=0.07))
    '+4.1 [+1.2, +7.0]'
    """
    return f"{points(way.gain)} [{points(way.low)}, {points(way.high)}]"


def points(share: float) -> str:
    """Return a difference of two shares in points, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "−")


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them.

    >>> listed(["hour", "camera", "date"])
    'hour, camera and date'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _clustered(report: FitReport) -> str:
    acting = [each.variable for each in report.variables if each.weight is not None]
    more = len(acting) - MAX_NAMED
    names = [*acting[:MAX_NAMED], *([f"{more} more"] if more > 0 else [])]
    return f"Conditioning on {listed(names)} in {len(report.clusters)} clusters {_gains(report)}"


def _gains(report: FitReport) -> str:
    way, plain = report.chosen, report.race.ways[0]
    values = f"from {plain.tpir:.3f} to {way.tpir:.3f} at an FPIR of {percent(report.race.fpir)}"
    if way.low > 0:
        gained, low, high = (100 * share for share in (way.gain, way.low, way.high))
        return f"gains {gained:.1f} points of TPIR [{low:.1f}, {high:.1f}]: {values}."
    return (
        f"shows no sure gain: TPIR goes {values}, {interval(way)} points. It was chosen since "
        "thresholds are kept better relative to a local scale."
    )


def _without_clusters(report: FitReport) -> str:
    alone = report.race.ways[report.race.one_cluster]
    return f"One cluster, treated alike: {interval(alone)}."


def _best_other(report: FitReport) -> str:
    best = max(report.race.ways[1:], key=lambda way: way.gain)
    return f"The best of {len(report.race.ways) - 1} other ways ({best.way}): {interval(best)}."
