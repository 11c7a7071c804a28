"""Background variables as features, and how much of the embeddings' variance they explain."""

import torch
from torch import Tensor, nn

from recognition.variable import Kind
from workers.training.targets import Targets
from workers.training.variables import LearnedVariable

_RIDGE = 1e-3


def features(variable: LearnedVariable, codes: Tensor) -> Tensor:
    """Return (n, m) features of (n,) codes; NaN where missing.

    A name is one-hot, a rank and a robust z are one number, an angle is sine and cosine: the
    encoding φ of the design. They are scaled such that the absolute differences of two images add
    up to about 1 where they are as different as can be (Gower 1971); a z counts as far at 4.
    """
    names = len(variable.fitted.values)
    if variable.unordered:
        known = codes.nan_to_num(0.0).long()
        columns = nn.functional.one_hot(known, names).float() / 2
    elif variable.cyclic:
        columns = torch.stack([codes.sin(), codes.cos()], dim=1) / 8**0.5
    else:
        columns = codes[:, None] / (names - 1 if variable.fitted.kind is Kind.ORDINAL else 4)
    return torch.where(codes.isnan()[:, None], torch.nan, columns)


def comparable(targets: Targets) -> Tensor:
    """Return (n, w): the features of all variables, for losses that compare backgrounds."""
    empty = targets.values[:, :0]
    columns = [features(v, targets.values[:, i]) for i, v in enumerate(targets.variables)]
    return torch.cat([empty, *columns], dim=1)


def explained(embeddings: Tensor, known: Tensor) -> Tensor:
    """Return the share of the embeddings' variance that features explain linearly: η².

    Of names, that is the variance between the groups. At 0 no linear probe does better than a
    constant guess (Belrose et al. 2023, arXiv 2306.03819, Theorem 3.1), so lowering it hides a
    variable from them all, where an adversary drives it from one hiding place to the next.

    Args:
        embeddings: (n, d).
        known: (n, m) features; rows with NaN are left out.

    Returns:
        A scalar from 0 to 1; 0 where nothing varies.
    """
    rows = ~known.isnan().any(dim=1, keepdim=True)
    count = rows.sum().clamp(min=1)
    inputs, outputs = (
        torch.where(rows, values - torch.where(rows, values, 0.0).sum(dim=0) / count, 0.0)
        for values in (known.float(), embeddings.float())
    )
    scatter = inputs.T @ inputs
    # A group of one-hot features adds up to 1: without the ridge it has no inverse.
    eye = torch.eye(len(scatter), device=scatter.device)
    ridge = _RIDGE * scatter.diagonal().mean() + torch.finfo(scatter.dtype).tiny
    cross = inputs.T @ outputs
    shared: Tensor = (cross * torch.linalg.solve(scatter + ridge * eye, cross)).sum()
    return shared / outputs.square().sum().clamp(min=torch.finfo(outputs.dtype).tiny)
