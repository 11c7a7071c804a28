"""The report as one page, with all that it shows in it."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files

from matplotlib.figure import Figure

from lab.evaluate.words import percent
from lab.fit import tables
from lab.fit.fitting import Made
from lab.fit.plots.race import race
from lab.fit.plots.reliability import reliability
from lab.fit.plots.tail import tail
from lab.fit.report import FitReport
from lab.fit.words import doubt, finding, promise
from lab.shown.svg import data_uri


def page(report: FitReport, made: Made, name: str, version: str) -> str:
    """Return the HTML of a report.

    Args:
        report: what is told.
        made: what its tail is drawn from.
        name: of the artefact.
        version: likewise.
    """
    fpirs = [one.fpir for one in report.expected]
    parts = {
        "title": escape(f"Conditioning {name}"),
        "facts": _facts(report, version),
        "style": _asset("page.css"),
        "finding": escape(finding(report)),
        "promise": escape(promise(report)),
        "doubt": _paragraph(doubt(report)),
        "race": _picture(race(report.race), "The gain of every way, with its interval"),
        "clusters": tables.clusters(report),
        "variables": tables.variables(report),
        "left-out": _left_out(report.origin.left_out),
        "entries": str(report.gallery),
        "tail": _picture(tail(made.typical.tails.tail, fpirs), "The share within a distance"),
        "strangers": str(report.origin.held_out.identities),
        "expected": tables.expected(report),
        "probabilities": _probabilities(report),
    }
    html = _asset("page.html")
    for part, text in parts.items():
        html = html.replace(f"<!--{part}-->", text)
    return html


def _facts(report: FitReport, version: str) -> str:
    origin = report.origin
    facts = (
        f"version {version}, for {origin.model}",
        f"{origin.data}, split {origin.split}",
        f"made from {origin.seen.images:,} images of {origin.seen.identities} identities",
        f"judged by {origin.held_out.images:,} of {origin.held_out.identities} others",
        f"FPIR {percent(origin.fpir)}",
        f"{origin.made_at:%d %B %Y}",
    )
    return " · ".join(map(escape, facts))


def _probabilities(report: FitReport) -> str:
    if report.calibration_error is None:
        return ""
    answers = sum(each.count for each in report.reliability)
    words = (
        f"Of answers that are called 80 % sure, 80 % should be right. Each of {answers:,} answers "
        "has the probability that a map fitted to the other half of the identities gives it; the "
        f"area of a dot is how many it stands for. The mean error is {report.calibration_error:.3f}"
        ". Where strangers are rarer than in these trials, answers are surer than they say."
    )
    picture = _picture(reliability(report.reliability), "Share right over probability")
    return f"<section><h2>Probabilities</h2><p class=quiet>{words}</p>{picture}</section>"


def _left_out(why: Mapping[str, str]) -> str:
    if not why:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in why.values())
    return f"<details><summary>Not looked at</summary><ul>{items}</ul></details>"


def _paragraph(text: str | None) -> str:
    return "" if text is None else f"<p class=doubt>{escape(text)}</p>"


def _picture(figure: Figure, words: str) -> str:
    return f'<figure><img src="{data_uri(figure)}" alt="{escape(words)}"></figure>'


def _asset(name: str) -> str:
    return (files("lab.fit") / "assets" / name).read_text(encoding="utf-8")
