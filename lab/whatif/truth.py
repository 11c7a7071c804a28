"""Who the probes really show, as far as people have said."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from lab.whatif.replay import Answers


class Verified(BaseModel):
    """The probes that people named: how many were identified rightly and wrongly."""

    model_config = ConfigDict(frozen=True)

    right: int
    wrong: int
    review: int


def verify(answers: Answers, identities: Mapping[str, str]) -> Verified:
    """Hold answers against what people said."""
    said = [
        (answers[probe].identity, identity)
        for probe, identity in identities.items()
        if probe in answers
    ]
    right = sum(found == identity for found, identity in said)
    review = sum(found is None for found, _ in said)
    return Verified(right=right, wrong=len(said) - right - review, review=review)
