"""The panels of `perennial --help`, and in them the commands as a newcomer meets them."""

_PANELS = {
    "Start here": ("demo", "up", "doctor"),
    "Frames in": ("publish", "enrol"),
    "Answers out": ("watch", "review", "gallery"),
    "Models": ("train", "evaluate", "saliency", "fit", "simulate", "whatif", "activate", "model"),
    "Run the parts": ("topics", "worker", "streams", "torture"),
    "Documents": ("schema",),
}

ORDER = tuple(name for names in _PANELS.values() for name in names)


def panel(command: str) -> str:
    """Return the panel in which a command is listed."""
    return next(title for title, names in _PANELS.items() if command in names)
