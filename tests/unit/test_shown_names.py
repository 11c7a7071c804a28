"""Names that somebody gave are drawn as they are: no formula, no markup, no error."""

import base64
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab.shown.style import data_uri, legend, panels, save, title


@pytest.mark.parametrize(
    "name", [r"$\frac{$", "$x^2$", r"\sqrt{$2$}", "=cmd|' /C calc'!A0", "<b>&--></svg>", "a--b"]
)
def test_a_name_is_text(name: str, tmp_path: Path) -> None:
    figure, ((axis,),) = panels(1, 1, width=3, height=2)
    title(axis, [name, "rank-1"])
    axis.plot([0], [0], label=name)
    axis.set_xticks([0], [name])
    axis.set_xlabel(name)
    legend(figure, axis)
    save(figure, tmp_path / "picture.png")
    kind, _, encoded = data_uri(figure).partition(",")
    assert kind == "data:image/svg+xml;base64"
    ElementTree.fromstring(base64.b64decode(encoded))
    drawn = [*axis.get_xticklabels(), axis.xaxis.label]
    assert [(text.get_text(), text.get_parse_math()) for text in drawn] == [(name, False)] * 2
