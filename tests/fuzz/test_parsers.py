"""Whatever lies on a topic is read or refused: no crash, no hang, no growth.

20,000 inputs each time; ``PERENNIAL_FUZZ_INPUTS=1000000 pytest tests/fuzz`` takes more.
"""

import gc
import logging
import os
import time
from random import Random

import psutil
import pytest

from tests.fuzz.mutations import mutants
from tests.fuzz.parsers import names, parsers, refuses

INPUTS = int(os.environ.get("PERENNIAL_FUZZ_INPUTS", "20000"))
MAX_CPU_S = 1.0
MAX_GROWTH_MIB = 32.0


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", names())
def test_nearly_right_bytes_are_read_or_refused(name: str) -> None:
    logging.disable(logging.CRITICAL)
    parser = parsers()[name]
    count = INPUTS // len(names()) + 1
    assert not any(refuses(parser, seed) for seed in parser.seeds), "the examples are good"
    refused, slowest = 0, 0.0
    before = 0.0
    try:
        for number, data in enumerate(mutants(parser.seeds, count, Random(name))):
            began = time.process_time()
            try:
                refused += refuses(parser, data)
            except Exception as error:
                raise AssertionError(f"{name} {number}: {data!r}") from error
            slowest = max(slowest, time.process_time() - began)
            if number == count // 2:
                before = _memory_mib()
    finally:
        logging.disable(logging.NOTSET)
    growth = _memory_mib() - before
    print(f"{name}: {count} inputs, {refused} refused, slowest {slowest:.3f} s, {growth:+.1f} MiB")
    assert slowest < MAX_CPU_S
    assert growth < MAX_GROWTH_MIB


def _memory_mib() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20
