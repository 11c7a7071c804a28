"""What the reports are made of, which are written as JSON."""

from pydantic import BaseModel, ConfigDict


class ReportPart(BaseModel):
    """A report, or a part of one; it may be read from what has attributes of the same names."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)
