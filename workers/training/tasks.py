"""What to predict from an embedding and what to hide in it, as the command line says it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from schemas.errors import SetupError
from schemas.variables import TYPES
from schemas.variables import Variable as VariableType

_TASK = re.compile(
    r"(?P<name>[^:*]+)(:(?P<type>\w+)(\((?P<arguments>[^()]*)\))?)?(\*(?P<weight>[^*]+))?"
)
_KIND: TypeAdapter[VariableType] = TypeAdapter(VariableType)


class Aim(StrEnum):
    """What an embedding shall do with a variable."""

    PREDICT = "predict"
    """Tell of it: a head that predicts it."""
    REVERSE = "reverse"
    """Hide it from a head that predicts it, by gradient reversal."""
    ERASE = "erase"
    """Hide it from every linear probe: none of the variance may go with it."""


@dataclass(frozen=True, slots=True)
class Task:
    """One auxiliary head.

    Attributes:
        kind: as given; ``None`` where it is to be taken from a declaration or the values.
        weight: of its loss in the total; of ``REVERSE`` the strength of the reversal.
    """

    name: str
    kind: VariableType | None = None
    weight: float = 1.0
    aim: Aim = Aim.PREDICT


def parse_task(text: str, aim: Aim = Aim.PREDICT) -> Task:
    """Read ``name``, ``name:kind``, ``name:kind(arguments)``, each with or without ``*weight``.

    >>> parse_task("hour:cyclic(24)*0.5").weight
    0.5
    """
    parts = _TASK.fullmatch(text.strip())
    if parts is None or not parts["name"].strip():
        examples = ", ".join(kind.example for kind in TYPES.values())
        raise SetupError(
            f"variable {text!r}: write name:kind*weight, such as season, {examples}*0.5"
        )
    kind = None if parts["type"] is None else _kind(text, parts["type"], parts["arguments"])
    return Task(parts["name"].strip(), kind, _weight(text, parts["weight"]), aim)


def kinds_of(
    tasks: Sequence[Task], declared: Mapping[str, VariableType]
) -> dict[str, VariableType | None]:
    """Return the kind of each task's variable: its own, or else the declared one, or else None.

    Raises:
        SetupError: two tasks have the same variable.
    """
    kinds: dict[str, VariableType | None] = {}
    for task in tasks:
        if task.name in kinds:
            raise SetupError(f"variable {task.name} is named twice; predict it or hide it, once")
        kinds[task.name] = declared.get(task.name) if task.kind is None else task.kind
    return kinds


def _kind(text: str, name: str, arguments: str | None) -> VariableType:
    if name not in TYPES:
        raise SetupError(f"variable {text!r}: no kind {name!r}; known: {', '.join(TYPES)}")
    given = [] if arguments is None else [part.strip() for part in arguments.split(",")]
    try:
        return _KIND.validate_python({"type": name, **TYPES[name].fields_of(given)})
    except ValidationError as error:
        why, example = error.errors()[0]["msg"], TYPES[name].example
        raise SetupError(f"variable {text!r}: {why}; write it like {example}") from error


def _weight(text: str, weight: str | None) -> float:
    if weight is None:
        return 1.0
    try:
        number = float(weight)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise SetupError(f"variable {text!r}: the weight {weight!r} is no number above 0")
    return number
