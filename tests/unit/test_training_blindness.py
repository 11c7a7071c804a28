"""An embedding that is trained to tell less of a variable: a fresh probe must fail to find it."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from workers.training.auxiliary import AuxiliaryHeads
from workers.training.tasks import Aim, Task
from workers.training.variables import make_targets


class _Toy:
    """Twelve parts of noise; one tells the identity, another the light."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.identity = torch.randint(2, (256,), generator=generator)
        self.light = torch.randint(2, (256,), generator=generator)
        self.x = 0.3 * torch.randn(256, 12, generator=generator)
        self.x[:, 0] += 2 * self.identity - 1
        self.x[:, 1] += 2 * self.light - 1

    def accuracy(self, tasks: Sequence[Task], size: int) -> tuple[float, float]:
        """Train an encoder; tell how well fresh probes find the light and the identity."""
        torch.manual_seed(0)
        lights = [{"light": int(value)} for value in self.light]
        targets = make_targets(lights, np.arange(256), {"light": None})
        encoder, classifier = nn.Linear(12, size), nn.Linear(size, 2)
        heads = AuxiliaryHeads(size, targets.variables, tasks)
        modules = nn.ModuleList([encoder, classifier, heads])
        optimizer = torch.optim.Adam(modules.parameters(), lr=0.01)
        for step in range(400):
            heads.set_progress(step / 400)
            embeddings = nn.functional.normalize(encoder(self.x), dim=1)
            loss = nn.functional.cross_entropy(4 * classifier(embeddings), self.identity)
            optimizer.zero_grad()
            torch.autograd.backward(loss + heads(embeddings, targets.values)[0])
            optimizer.step()
        found = nn.functional.normalize(encoder(self.x), dim=1).detach().numpy()
        return _probe(found, self.light), _probe(found, self.identity)


def _probe(embeddings: NDArray[np.float32], truth: Tensor) -> float:
    train, test = slice(0, 128), slice(128, 256)
    probe = LogisticRegression(C=100).fit(embeddings[train], truth[train].numpy())
    return float(probe.score(embeddings[test], truth[test].numpy()))


def test_gradient_reversal_makes_a_small_embedding_blind() -> None:
    toy = _Toy()
    told, _ = toy.accuracy([Task("light")], size=4)
    assert told > 0.95
    blind, identity = toy.accuracy([Task("light", weight=2, aim=Aim.REVERSE)], size=4)
    assert identity > 0.95
    assert blind < 0.65


@pytest.mark.parametrize("size", [4, 12])
def test_erasing_makes_an_embedding_blind(size: int) -> None:
    toy = _Toy()
    left, _ = toy.accuracy([], size)
    blind, identity = toy.accuracy([Task("light", aim=Aim.ERASE)], size)
    assert identity > 0.95
    assert blind < 0.6 < left
