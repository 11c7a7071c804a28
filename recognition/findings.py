"""What was found out about one background variable, and what it means."""

from dataclasses import dataclass
from enum import StrEnum

from recognition.predictability import Predictability
from recognition.variable import Kind


@dataclass(frozen=True, slots=True)
class Explained:
    """How much of a variance is explained.

    Attributes:
        share: η², from 0 to 1.
        by_chance: the mean share when the values are shuffled within identities.
        p: share of the shuffles, the data counted as one, that explain as much or more.
    """

    share: float
    by_chance: float
    p: float

    @property
    def excess(self) -> float:
        """What is explained beyond chance."""
        return self.share - self.by_chance


class VariableRole(StrEnum):
    """What a variable does to the embeddings of one identity."""

    SHIFTS = "shifts"
    SPREADS = "spreads"
    SHIFTS_AND_SPREADS = "shifts_and_spreads"
    NOISE = "noise"
    CONFOUNDED = "confounded"

    @property
    def acts(self) -> bool:
        """Whether the variable does anything that could be told."""
        return self not in (VariableRole.NOISE, VariableRole.CONFOUNDED)


@dataclass(frozen=True, slots=True)
class Gain:
    """What matching conditioned on one variable alone does to the TPIR at the target FPIR.

    ``gain`` is ``conditioned`` less ``plain``, on identity-disjoint folds; ``low`` and ``high``
    are its 95 % interval, by :mod:`~recognition.half_samples` of the identities.
    """

    gain: float
    low: float
    high: float
    plain: float
    conditioned: float


@dataclass(frozen=True, slots=True)
class Saliency:
    """All that is known of one variable.

    Attributes:
        groups: the values, or ranges of them, that it is looked at in.
        images: how many have the variable.
        identities: of these images.
        varying: share of these images that lie in identities in which the variable varies; shift
            and spread are of them.
        between: share of the variable's variance that lies between identities: 1 where it is
            constant in each.
        shift: of the embeddings' variance within identities; None where confounded.
        spread: likewise, of the variance of the logarithm of the radius: the distance between an
            embedding and where identity and variable would have it.
        read: how well it is read from embeddings of unseen identities; None for one identity.
        gain: None where it was not measured.
    """

    variable: str
    kind: Kind
    groups: tuple[str, ...]
    images: int
    identities: int
    varying: float
    between: float
    shift: Explained | None
    spread: Explained | None
    read: Predictability | None
    gain: Gain | None
    role: VariableRole

    @property
    def salient(self) -> bool:
        """Whether its gain surely lies above zero; where that was not measured, whether it acts."""
        return self.role.acts if self.gain is None else self.gain.low > 0

    @property
    def meaning(self) -> str:
        """The findings in a sentence, and one on the gain where it was measured."""
        what = _what(self)
        return what if self.gain is None else f"{what} {_worth(self.gain)}"


def _what(finding: Saliency) -> str:
    if finding.shift is None or finding.spread is None:
        return (
            f"Hardly varies within an identity ({finding.between:.0%} of its variance lies between "
            "them): what it does cannot be told from who it is."
        )
    shift, spread = _shares(finding.shift), _shares(finding.spread)
    match finding.role:
        case VariableRole.SHIFTS:
            return f"Moves the embeddings of an identity: {shift} of their variance."
        case VariableRole.SPREADS:
            return f"Changes how far an identity scatters: {spread} of the variance of its radius."
        case VariableRole.SHIFTS_AND_SPREADS:
            return (
                f"Moves the embeddings of an identity, {shift} of their variance, and changes how "
                f"far they scatter, {spread} of the variance of the radius."
            )
        case _:
            return f"Leaves the embeddings of an identity as they are: {shift} of their variance."


def _worth(gain: Gain) -> str:
    sure = "" if gain.low > 0 or gain.high < 0 else ", which may be chance"
    return (
        f"Conditioned on it, TPIR goes from {gain.plain:.3f} to {gain.conditioned:.3f}: "
        f"{gain.gain:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]{sure}."
    )


def _shares(explained: Explained) -> str:
    return f"{100 * explained.share:.1f} % (by chance {100 * explained.by_chance:.1f} %)"
