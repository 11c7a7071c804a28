"""What to predict from an embedding and what to hide in it, as the command line says it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from schemas.errors import SetupError
from schemas.variables import Variable as Kind

_TASK = re.compile(
    r"(?P<name>[^:*]+)(:(?P<type>\w+)(\((?P<arguments>[^()]*)\))?)?(\*(?P<weight>[^*]+))?"
)
_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "nominal": "season:nominal",
        "binary": "light:binary(day,night)",
        "ordinal": "age:ordinal(calf,yearling,adult)",
        "continuous": "temperature:continuous",
        "cyclic": "hour:cyclic(24)",
    }
)
_KIND: TypeAdapter[Kind] = TypeAdapter(Kind)


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
        name: the background variable.
        kind: as given; ``None`` where it is to be taken from a declaration or the values.
        weight: of its loss in the total; of ``REVERSE`` the strength of the reversal.
        aim: what the embedding shall do with it.
    """

    name: str
    kind: Kind | None = None
    weight: float = 1.0
    aim: Aim = Aim.PREDICT


def parse_task(text: str, aim: Aim = Aim.PREDICT) -> Task:
    """Read ``name``, ``name:kind``, ``name:kind(arguments)``, each with or without ``*weight``.

    >>> parse_task("hour:cyclic(24)*0.5").weight
    0.5

    Raises:
        SetupError: saying what is wrong with it and what would be right.
    """
    found = _TASK.fullmatch(text.strip())
    if found is None or not found["name"].strip():
        examples = ", ".join(_EXAMPLES.values())
        raise SetupError(
            f"variable {text!r}: write name:kind*weight, such as season, {examples}*0.5"
        )
    kind = None if found["type"] is None else _kind(text, found["type"], found["arguments"])
    return Task(found["name"].strip(), kind, _weight(text, found["weight"]), aim)


def kinds_of(tasks: Sequence[Task], declared: Mapping[str, Kind]) -> dict[str, Kind | None]:
    """Return the kind of each task's variable: its own, or else the declared one, or else None.

    Raises:
        SetupError: two tasks have the same variable.
    """
    kinds: dict[str, Kind | None] = {}
    for task in tasks:
        if task.name in kinds:
            raise SetupError(f"variable {task.name} is named twice; predict it or hide it, once")
        kinds[task.name] = declared.get(task.name) if task.kind is None else task.kind
    return kinds


def _kind(text: str, name: str, arguments: str | None) -> Kind:
    if name not in _EXAMPLES:
        raise SetupError(f"variable {text!r}: no kind {name!r}; known: {', '.join(_EXAMPLES)}")
    given = [] if arguments is None else [part.strip() for part in arguments.split(",")]
    fields: dict[str, object] = {"type": name}
    if name == "cyclic":
        fields["period"] = given[0] if len(given) == 1 else None
    elif name == "continuous" and given:
        fields["minimum"], fields["maximum"] = given if len(given) == 2 else (None, None)
    elif given:
        fields["values"] = given
    try:
        return _KIND.validate_python(fields)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise SetupError(f"variable {text!r}: {why}; write it like {_EXAMPLES[name]}") from error


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
