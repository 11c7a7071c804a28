"""How well a region shows its subject, as it travels with its embedding."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Quality(BaseModel):
    """What the worker measured of a region, or of a whole frame; it does not weigh evidence yet.

    ``docs/concepts.md`` has the formulas.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sharpness: float = Field(
        ge=0, description="Variance of the Laplacian over that of the picture, at a fixed scale"
    )
    size: int = Field(ge=0, description="Pixels of the short side in the image as it was sent")
    dark: Share = Field(description="Share of pixels that are clipped at black")
    bright: Share = Field(description="Share of pixels that are clipped at white")
    overall: Share = Field(description="Of all three: 1 where there is nothing to complain about")
