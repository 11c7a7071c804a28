"""Auxiliary heads in a model folder: their tensors, and in the card what each is for."""

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from schemas.errors import SetupError
from schemas.variables import Variable as VariableType
from workers.model.model_folder import ModelCard, Weights, head_weights
from workers.training.auxiliary import AuxiliaryHeads
from workers.training.tasks import Aim, Task
from workers.training.variables import LearnedVariable


class SavedHead(BaseModel):
    """One head as the card has it: the task, and the variable as fitted to the train rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    aim: Aim
    weight: float
    kind: VariableType
    centre: float
    scale: float
    typical: float


_SAVED = TypeAdapter(list[SavedHead])


def describe_heads(heads: AuxiliaryHeads) -> list[JsonValue]:
    """Return what a card says under ``training["heads"]``, in the order of the tensors."""
    saved = [
        SavedHead(
            name=task.name,
            aim=task.aim,
            weight=task.weight,
            kind=variable.kind,
            centre=variable.fitted.centre,
            scale=variable.fitted.unit,
            typical=variable.typical,
        )
        for task, variable in heads.learned
    ]
    # The bounds of a continuous variable are infinite by default, which JSON does not have.
    return [head.model_dump(mode="json", exclude_defaults=True) for head in saved]


def load_heads(card: ModelCard, weights: Weights) -> AuxiliaryHeads | None:
    """Rebuild the heads of a model folder; None where it has none.

    Raises:
        SetupError: the card and the tensors do not tell of the same heads.
    """
    described = None if card.training is None else card.training.get("heads")
    if described is None:
        return None
    try:
        saved = _SAVED.validate_python(described)
        heads = AuxiliaryHeads(
            card.architecture.dimension,
            [LearnedVariable.restore(s.name, s.kind, s.centre, s.scale, s.typical) for s in saved],
            [Task(s.name, s.kind, s.weight, s.aim) for s in saved],
        )
        heads.load_state_dict(head_weights(weights))
    except (ValueError, RuntimeError) as error:
        raise SetupError(f"auxiliary heads of {card.name}: {error}; train it anew") from error
    return heads.eval().requires_grad_(requires_grad=False)
