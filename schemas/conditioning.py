"""``conditioning``: which fitted artefact is active."""

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.event import Event, Instant


class ArtefactRef(BaseModel):
    """Names an artefact, says where it lies and which model version it is for."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    uri: str
    model: str


class PreviousArtefact(BaseModel):
    """An artefact as an activation names the one before: the name is the record's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(min_length=1)
    uri: str = Field(min_length=1, description="Of its folder, readable for every service")
    model: str = Field(min_length=1)

    @classmethod
    def of(cls, artefact: ArtefactRef | None) -> Self | None:
        """Leave the name out; None stays None."""
        return None if artefact is None else cls(**artefact.model_dump(exclude={"name"}))


class Activation(Event):
    """Names the active artefact; without one, embeddings are compared plainly.

    The last record on the topic decides, whatever its name.
    """

    type: ClassVar[str] = "perennial.active-conditioning.v1"

    name: str = Field(min_length=1)
    version: str | None = Field(description="Null: no conditioning is active")
    uri: str | None = Field(description="Of its folder, readable for every service")
    model: str | None = Field(description="The model version that it is for")
    activated_at: Instant
    actor: str
    previous: PreviousArtefact | None = Field(
        None, description="What was active before, to return to; null: none"
    )

    @property
    def id(self) -> str:
        """The artefact's name: compaction keeps its newest version."""
        return self.name

    @property
    def artefact(self) -> ArtefactRef | None:
        """The artefact that is active now, if any."""
        if self.version is None or self.uri is None or self.model is None:
            return None
        return ArtefactRef(name=self.name, version=self.version, uri=self.uri, model=self.model)

    @property
    def artefact_before(self) -> ArtefactRef | None:
        """The artefact that was active before, if any."""
        before = self.previous
        return None if before is None else ArtefactRef(name=self.name, **before.model_dump())

    @model_validator(mode="after")
    def _all_or_nothing(self) -> Self:
        if len({value is None for value in (self.version, self.uri, self.model)}) > 1:
            raise ValueError("version, uri and model: give all of them or none")
        return self
