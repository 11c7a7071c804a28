"""The latent space made flat: PCA, t-SNE and UMAP, in two and in three dimensions."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray, prepare

Float64 = NDArray[np.float64]

VIEWS: Final = 6
"""How many are computed: each method, in two and in three dimensions."""

_COMPONENTS = 50  # kept for t-SNE and UMAP, as usual: what is beyond is mostly noise, and slow
_PERPLEXITY, _NEIGHBOURS = 30.0, 15  # the methods' own defaults, less for few images
_MIN_IMAGES = 10  # images, for the methods that look at neighbours


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Where each image lies: ``flat`` (n, 2) and ``deep`` (n, 3)."""

    name: str
    flat: Float64
    deep: Float64


def project(embeddings: FloatArray, on_done: Callable[[], None]) -> list[Projection]:
    """Project embeddings (n, d), as directions; ``on_done`` hears of each of the six.

    Of fewer than ten images there is only the PCA. The same embeddings give the same pictures.
    """
    components = _pca(embeddings)
    projections = [Projection("PCA", components[:, :2], components[:, :3])]
    on_done()
    on_done()
    if len(components) >= _MIN_IMAGES:
        for name, method in (("t-SNE", _tsne), ("UMAP", _umap)):
            views = []
            for dimensions in (2, 3):
                views.append(method(components, dimensions))
                on_done()
            projections.append(Projection(name, *views))
    return projections


def _pca(embeddings: FloatArray) -> Float64:
    """Return the first principal components (n, 3 to 50); zeros where there are fewer than 3."""
    x = prepare(embeddings).astype(np.float64)
    left, sizes, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    components = (left * sizes)[:, :_COMPONENTS]
    missing = max(0, 3 - components.shape[1])
    return np.pad(components, ((0, 0), (0, missing)))


def _tsne(components: Float64, dimensions: int) -> Float64:
    from sklearn.manifold import TSNE  # here, since it is slow to import

    perplexity = min(_PERPLEXITY, (len(components) - 1) / 3)
    method = TSNE(dimensions, perplexity=perplexity, init="pca", random_state=0)
    placed: Float64 = method.fit_transform(components)
    return placed


def _umap(components: Float64, dimensions: int) -> Float64:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        from umap import UMAP  # here: it compiles for seconds

    neighbours = min(_NEIGHBOURS, len(components) - 1)
    method = UMAP(neighbours, dimensions, init="pca", random_state=0, n_jobs=1)
    placed: Float64 = method.fit_transform(components)
    return placed
