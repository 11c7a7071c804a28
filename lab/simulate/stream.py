"""Frames through the system one by one, in time order, and a person beside it who answers."""

from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np

from lab.simulate.oracle import Oracle
from lab.simulate.outcomes import Outcomes, Simulated
from lab.simulate.system import System
from schemas.embedding import Embedding
from schemas.recognition_event import ReviewItem


async def simulate(
    system: System,
    oracle: Oracle,
    embeddings: Sequence[Embedding],
    labels: Sequence[str],
    on_frame: Callable[[], None] = lambda: None,
) -> Simulated:
    """Run the streaming protocol.

    Each frame finds the gallery with all that was decided before it came, inclusions among it. What
    the matcher leaves undecided the oracle answers, and the answer is enrolled when it arrives.

    Raises:
        BadInput: an embedding is none that the matcher takes.
        DependencyDown: the conditioning cannot be loaded.
    """
    reviewed, right, stranger = (np.zeros(len(embeddings), np.bool_) for _ in range(3))
    started = perf_counter()
    await system.start()
    for frame, (embedding, label) in enumerate(zip(embeddings, labels, strict=True)):
        answers = oracle.answers(frame, system.log.enrolled)
        if answers:
            await system.hear(answers)
        stranger[frame] = label not in system.log.enrolled
        said = await system.see(embedding)
        if isinstance(said, ReviewItem):
            reviewed[frame] = True
            oracle.ask(said, frame)
        else:
            right[frame] = said.identity == label
        on_frame()
    seconds = perf_counter() - started
    outcomes = Outcomes(reviewed, right, stranger)
    return Simulated(outcomes, system.log.enrolments, system.log.entries, seconds)
