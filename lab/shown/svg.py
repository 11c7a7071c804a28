"""A figure as part of a page."""

import base64
import io

from matplotlib import rc_context
from matplotlib.figure import Figure


def data_uri(figure: Figure) -> str:
    """Return the figure as a ``data:`` URI: SVG without a background, the same every time."""
    text = io.BytesIO()
    with rc_context({"svg.hashsalt": "perennial"}):  # else ids are drawn at random
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(text.getvalue()).decode()}"
