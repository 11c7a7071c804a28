"""The images that a benchmark looks at, as a fit takes them."""

from collections.abc import Sequence

import numpy as np

from lab.images.backgrounds import backgrounds_of
from lab.images.manifest import ManifestRow
from lab.images.samples import sample_of
from recognition.distance import FloatArray
from recognition.fit import Sample
from recognition.protocol import Indices


def sound_sample(rows: Sequence[ManifestRow], images: Indices, vectors: FloatArray) -> Sample:
    """Return those of the images whose embedding, of (n, d) of all rows, is finite."""
    sound = images[np.isfinite(vectors[images]).all(axis=1)]
    own = [rows[i] for i in sound]
    return sample_of(own, vectors[sound], backgrounds_of(own, None))
