"""A cluster's name tells its values, all of them and nothing else."""

import re
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from recognition.cluster import UNCLUSTERED, UNSHARDED, cluster_of

# All of Unicode with lone surrogates, and a few letters that make near-collisions likely.
texts = st.text(st.characters(), min_size=1) | st.text("aA=,%2C ~", min_size=1, max_size=4)
backgrounds = st.dictionaries(texts, texts, min_size=1, max_size=3)


@given(backgrounds)
def test_every_name_and_value_can_be_read_back(background: dict[str, str]) -> None:
    cluster = cluster_of(background, list(background))
    assert cluster != UNCLUSTERED
    pairs = [part.split("=") for part in cluster.split(",")]
    read = {
        unquote(name, errors="surrogatepass"): unquote(value, errors="surrogatepass")
        for name, value in pairs
    }
    assert read == background


@given(backgrounds)
def test_it_is_safe_in_keys(background: dict[str, str]) -> None:
    cluster = cluster_of(background, list(background))
    assert re.fullmatch(r"[A-Za-z0-9_.%=,-]+", cluster)
    assert cluster not in (UNSHARDED, UNCLUSTERED)


@given(st.lists(texts, min_size=2, max_size=2, unique=True))
def test_two_texts_never_share_a_cluster(pair: list[str]) -> None:
    one, other = (cluster_of({"v": text}, ["v"]) for text in pair)
    assert one != other


@given(st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_one_value_however_it_is_typed(number: float) -> None:
    cluster = cluster_of({"v": number}, ["v"])
    assert cluster == cluster_of({"v": float(number)}, ["v"])
    assert cluster != UNCLUSTERED
    assert float(cluster.removeprefix("v=")) == number


@given(backgrounds, texts, texts)
def test_variables_that_are_not_asked_for_do_not_count(
    background: dict[str, str], name: str, value: str
) -> None:
    shard_by = sorted(background)
    more = {name: value, **background}
    assert cluster_of(more, shard_by) == cluster_of(background, shard_by)
