"""Every setting, from ``PERENNIAL_*`` variables: the only file that reads the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from schemas.access import AccessSettings, variable
from schemas.choices import BrokerKind, Device, InferenceRuntime, Precision, Views
from schemas.errors import SetupError
from schemas.limits import MAX_CLUSTERS, STANDARD, FrameLimits
from schemas.topics import Topic

Names = Annotated[tuple[str, ...], NoDecode]

_MINUTE_MS = 60_000
_HOUR_S = 3600
_WEEK_S = 7 * 24 * _HOUR_S
_CENTURY_DAYS = 36_525

MAX_BATCH = 1024
"""Images in one forward pass."""

IN_FLIGHT, IN_FLIGHT_GPU = 64, 1024
"""Frames that a worker holds at once on a processor, and with a GPU."""


class Settings(AccessSettings):
    """Settings of every service; each has a default that works on one machine."""

    # Empty counts as unset: `${UNSET}` in a compose file sets a variable to nothing.
    model_config = SettingsConfigDict(
        env_prefix="PERENNIAL_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        hide_input_in_errors=True,  # it may be a password
    )

    broker: BrokerKind = Field(
        BrokerKind.EMBEDDED,
        description="Our own broker: `embedded` (in memory) or `apache` (needs Java 17 and Maven)",
    )
    kafka_jars: Path | None = Field(
        None,
        description="Folder of the jars for `apache`; unset: `~/.cache/perennial/kafka-VERSION`",
    )
    topic_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]*$", description="Put before every topic, group and Redis key"
    )
    worker_port: int = Field(9101, ge=0, le=65535, description="HTTP port of a worker; 0: any free")
    streams_port: int = Field(9102, ge=0, le=65535, description="HTTP port of streams; 0: any free")

    variables: Path | None = Field(
        None,
        description="YAML file that declares the background variables; unset: any is accepted",
    )

    model: Path | None = Field(
        None, description="Model folder; unset: EfficientNet-Lite0 with ImageNet weights"
    )
    device: Device = Field(Device.AUTO, description="`auto` takes CUDA where there is one")
    precision: Precision = Field(
        Precision.FLOAT32, description="`bfloat16` is another model version; for GPUs, and "
        "processors that have it in hardware",
    )  # fmt: skip
    runtime: InferenceRuntime = Field(
        InferenceRuntime.AUTO, description="What computes the forward pass; `auto` measures once "
        "what is fastest here: `torch`, `onnxruntime` or `openvino`. Never changes the version",
    )  # fmt: skip
    cache: Path = Field(
        Path("~/.cache/perennial"), description="Folder of what is made once per machine: exported "
        "models, and how fast each runtime is",
    )  # fmt: skip
    views: Views = Field(
        Views.NONE,
        description="Views that each image is embedded in, and the mean taken: `flip` adds its "
        "mirror image, `crops` takes ten; other views are another model version",
    )
    threads: int | None = Field(None, ge=1, description="Threads of the forward pass; unset: all")
    batch_size: int | None = Field(
        None, ge=1, le=MAX_BATCH, description="Most images in one forward pass; unset: as many as "
        "bring more images/s here, which the worker finds out while a queue stands",
    )  # fmt: skip
    batch_deadline_ms: float = Field(
        15, ge=0, le=_MINUTE_MS,
        description="Longest that an image waits for others to fill its batch, where others are "
        "being decoded; one that comes alone does not wait",
    )  # fmt: skip
    decode_threads: int = Field(2, ge=1, description="Threads that decode images")
    in_flight: int | None = Field(
        None, ge=1, description="Most frames a worker holds at once, of which the forward passes "
        "take half at most; unset: 64, with a GPU 1024",
    )  # fmt: skip

    max_image_bytes: int = Field(16 * 2**20, ge=1, description="Largest encoded image")
    max_image_pixels: int = Field(50_000_000, ge=1, description="Largest decoded image")

    max_regions: int = Field(STANDARD.regions, ge=1, le=1000, description="Most regions of a frame")
    max_background_bytes: int = Field(
        STANDARD.background_bytes, ge=2, le=2**20,
        description="Largest background of a frame; the embedding of each region carries it",
    )  # fmt: skip
    max_clusters: int = Field(
        MAX_CLUSTERS, ge=1,
        description="Most clusters that values of PERENNIAL_SHARD_BY may make: an enrolment into "
        "one more is a dead letter, and metrics name no more",
    )  # fmt: skip

    image_uri_allow: Names = Field(
        (), description="Prefixes that image_uri may have: `file:///data/`, `https://host/`, "
        "`s3://bucket/`; empty: claim checks are refused",
    )  # fmt: skip
    image_uri_timeout_s: float = Field(10, gt=0, le=_HOUR_S, description="Time limit of one fetch")
    image_uri_deadline_s: float = Field(
        30, gt=0, le=_HOUR_S,
        description="A frame whose image has failed for so long while its store answers others is "
        "a dead letter; while the store answers nobody, frames wait",
    )  # fmt: skip
    s3_endpoint: str | None = Field(None, description="Endpoint for s3:// (MinIO and the like)")

    stalled_after_s: float = Field(
        60, gt=0, le=_HOUR_S,
        description="Seconds that a partition may stand still while records wait and nothing is "
        "down; then /healthz fails",
    )  # fmt: skip

    target_fpir: float = Field(
        0.01, gt=0, lt=1, description="Share of unknown probes that may be identified by mistake"
    )
    shard_by: Names = Field(
        (), description="Nominal background variables whose values make the clusters"
    )
    neighbours: int = Field(10, ge=1, le=1000, description="k of the nearest-neighbour vote")
    match_batch: int = Field(32, ge=1, description="Most embeddings in one round of Redis queries")
    match_deadline_ms: float = Field(
        2, gt=0, le=_MINUTE_MS, description="Longest that an embedding waits for it"
    )
    hnsw_above: int = Field(10_000, ge=1, description="Entries above which a shard becomes HNSW")
    verify_interval_s: float = Field(
        600, gt=0, le=_WEEK_S,
        description="Time within which every entry in Redis is compared with the gallery",
    )  # fmt: skip
    redis_timeout_s: float = Field(2, gt=0, le=_HOUR_S, description="Time limit of one Redis call")

    accept_cut_log: bool = Field(
        default=False,
        description="Whether the gallery agent goes on with a `gallery` topic whose first records "
        "were deleted (for one start; `perennial streams --accept-cut-log`)",
    )

    include: bool = Field(
        default=False,
        description="Whether identified embeddings enter the gallery without a person",
    )
    include_surer: float = Field(
        0.8, gt=0, le=1,
        description="Largest distance of such an embedding to its identity, over the threshold",
    )  # fmt: skip
    include_new: float = Field(
        0.25, gt=0, lt=1,
        description="Distance, over the threshold, up to which it only repeats what is enrolled; "
        "below PERENNIAL_INCLUDE_SURER",
    )  # fmt: skip

    retention_max_age_days: float | None = Field(
        None,
        gt=0,
        le=_CENTURY_DAYS,
        description="Entries older than this go to quarantine; unset: none",
    )
    retention_newest: int = Field(
        50, ge=1, description="Entries kept for each identity and cluster, the newest ones"
    )
    retention_mad: float = Field(
        # The textbook's 3.5 presumes one look an identity and cluster. Until clusters are fitted it
        # has several, and 3.5 takes the rarer ones out: measured in docs/measurements.md.
        7.0,
        gt=0,
        description="Modified z-score above which an entry is an outlier",
    )
    retention_interval_s: float = Field(
        60, gt=0, le=_WEEK_S, description="How often age is looked at"
    )

    @field_validator("image_uri_allow", "shard_by", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("include_new")
    @classmethod
    def _below_surer(cls, value: float, info: ValidationInfo) -> float:
        # Absent where include_surer is wrong itself, which is said already.
        if value >= info.data.get("include_surer", 1):
            raise ValueError("must be less than PERENNIAL_INCLUDE_SURER")
        return value

    def topic(self, topic: Topic) -> str:
        """Return the name of the topic in this deployment."""
        return self.topic_prefix + topic.name

    @property
    def most_in_flight(self) -> int:
        """Most frames a worker holds at once."""
        return IN_FLIGHT if self.in_flight is None else self.in_flight

    @property
    def most_in_batch(self) -> int:
        """Most images in one forward pass."""
        return MAX_BATCH if self.batch_size is None else self.batch_size

    @property
    def frame_limits(self) -> FrameLimits:
        """What one frame may ask for."""
        return FrameLimits(self.max_regions, self.max_background_bytes)

    @property
    def workers_group(self) -> str:
        """Consumer group of the embedding workers."""
        return self.topic_prefix + "perennial-workers"

    @property
    def streams_group(self) -> str:
        """Consumer group of the matcher, review and gallery agents."""
        return self.topic_prefix + "perennial-streams"

    @property
    def retention_max_age(self) -> timedelta | None:
        """The age limit of entries."""
        days = self.retention_max_age_days
        return None if days is None else timedelta(days=days)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment.

    Raises:
        SetupError: naming each wrong variable, its value and what is accepted.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = (f"{_named(e['loc'], e['input'])}{e['msg']}" for e in error.errors())
        raise SetupError("wrong settings:\n  " + "\n  ".join(lines)) from error


def environment(settings: Settings) -> dict[str, str]:
    """Return the ``PERENNIAL_*`` variables from which a child reads these same settings.

    Passwords are among them: they are for the environment of a process, and for nothing else.
    """
    values = settings.model_dump(exclude_unset=True, exclude_none=True)
    return {variable(name): _written(value) for name, value in values.items()}


def _named(place: tuple[int | str, ...], value: Any) -> str:
    """Return how an error begins: the variable, and its value where that is no secret."""
    if not place:  # it is about several, which the message names
        return ""
    name = variable("_".join(map(str, place)))
    is_secret = isinstance(value, SecretStr) or "PASSWORD" in name or "URL" in name
    return f"{name}: " if is_secret else f"{name}={value!r}: "


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(value) if isinstance(value, tuple) else str(value)
