"""The exception tree: what is done about an error follows from its class."""

import pytest

from schemas.errors import BadInput, DependencyDown, PerennialError, SetupError


@pytest.mark.parametrize(
    "error", [BadInput("bad_image", "why"), DependencyDown("redis", "why"), SetupError("why")]
)
def test_everything_on_purpose_has_one_base(error: Exception) -> None:
    assert isinstance(error, PerennialError)
    assert str(error).endswith("why")


def test_bad_input_has_a_reason_for_machines() -> None:
    error = BadInput("bad_image", "ends after 8 bytes")
    assert (error.reason, str(error)) == ("bad_image", "ends after 8 bytes")


def test_a_missing_dependency_is_named() -> None:
    error = DependencyDown("redis", "connection refused")
    assert (error.dependency, str(error)) == ("redis", "redis: connection refused")
