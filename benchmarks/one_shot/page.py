"""The one-shot accuracies as Markdown."""

from collections.abc import Sequence

from benchmarks.one_shot.accuracy import Estimate, Line
from benchmarks.report import grid


def page(within: Sequence[Line], filled: Sequence[Line], ways: int, about: str) -> str:
    """Return the page: within the group alone, then filled up to the number of ways."""
    return (
        "\n\n".join(
            [
                "# One-shot accuracy",
                about,
                f"## Within the group: as many ways as it has test identities, {ways} at most",
                grid(header(within), map(cells, within)),
                f"## Filled up with identities of other groups to {ways} ways",
                "Only identities of the group itself are asked for.",
                grid(header(filled), map(cells, filled)),
                "[ ] is the 95 % interval, by resampling identities.",
            ]
        )
        + "\n"
    )


def header(lines: Sequence[Line]) -> list[str]:
    """Return what stands above the cells of these lines."""
    *others, last = lines[0].accuracy
    return ["group", "ways", "chance", *others, last, *(f"{name} − {last}" for name in others)]


def cells(line: Line) -> list[str]:
    """Return the cells of a line: group, ways, chance, the models, and their gains."""
    ways = str(line.most) if line.fewest == line.most else f"{line.fewest} to {line.most}"
    accuracies = [_between(estimate) for estimate in line.accuracy.values()]
    gains = [_between(estimate, sign="+") for estimate in line.gain.values()]
    return [line.group, ways, f"{line.chance:.3f}", *accuracies, *gains]


def _between(estimate: Estimate, sign: str = "") -> str:
    mean, low, high = (
        f"{value:{sign}.3f}" for value in (estimate.mean, estimate.low, estimate.high)
    )
    return f"{mean} [{low}, {high}]"
