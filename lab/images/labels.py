"""The labels of a manifest by event name: how outcomes are told whom they should have shown."""

from collections.abc import Iterable
from contextlib import suppress

from client.names import file_id
from lab.images.manifest import ManifestRow
from schemas.event import event_name


def labels_of(rows: Iterable[ManifestRow], source: str) -> dict[str, str]:
    """Return the label of each image that has one, by event name.

    An image is known as `perennial publish` names it, and by its path alone, as another client may
    have published it. ``source`` is that of the rows that name none.
    """
    labels: dict[str, str] = {}
    for row in rows:
        if row.label is None:
            continue
        camera = source if row.source is None else row.source
        labels[event_name(camera, row.id)] = row.label
        with suppress(OSError):  # the images need not lie here
            labels[event_name(camera, file_id(row.id, row.path.read_bytes()))] = row.label
    return labels
