"""The streams: which agents there are, which topics each reads, and what does the work."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from schemas.runtime import Runtime
from schemas.topics import CONDITIONING, EMBEDDINGS, GALLERY_COMMANDS, REVIEW_DECISIONS
from streams.gallery.agent import GalleryAgent
from streams.kafka.service import Agent, Ownership, run_agents
from streams.kafka.timers import telling
from streams.matching.matcher import Matcher
from streams.parts import AgentParts, connected, index_watch
from streams.review import ReviewAgent


def matcher(parts: AgentParts) -> Agent:
    """Embeddings in; identifications and items for human review out."""
    settings = parts.runtime.settings
    agent = Matcher(settings, parts.runtime.metrics, parts.index, parts.placements)
    stages = {"matcher": (EMBEDDINGS, agent.handle)}
    return Agent(stages, batch=settings.match_batch, wait_s=settings.match_deadline_ms / 1000)


def review(parts: AgentParts) -> Agent:
    """People's answers in; identifications and gallery commands out."""
    agent = ReviewAgent(parts.runtime.settings)
    return Agent({"review": (REVIEW_DECISIONS, agent.handle)})


def gallery(parts: AgentParts) -> Agent:
    """Gallery commands and activations in; the gallery and the index follow."""
    runtime = parts.runtime
    agent = GalleryAgent(
        runtime.settings,
        runtime.metrics,
        parts.index,
        parts.placements,
        gallery_log=parts.gallery_log,
        last_activation=parts.last_activation,
        ownership=parts.ownership,
    )
    work, health = "reading the gallery or writing the index", runtime.health
    return Agent(
        {
            "gallery": (GALLERY_COMMANDS, telling("gallery", work, health, agent.handle)),
            "conditioning": (CONDITIONING, agent.on_activation_request),
        },
        each_second=(telling("gallery", work, health, agent.tick),),
    )


AGENTS: Mapping[str, Callable[[AgentParts], Agent]] = MappingProxyType(
    {"matcher": matcher, "review": review, "gallery": gallery}
)
"""By the names that ``perennial streams --only`` takes."""


async def run(
    runtime: Runtime, stop: asyncio.Event, only: frozenset[str] = frozenset(AGENTS)
) -> None:
    """Run the agents until ``stop`` is set; when the broker made Faust give up, begin again.

    Raises:
        SetupError: Redis may evict entries.
        Crashed: anything else has ended an agent, a timer, the consumer or Faust.
    """
    async with connected(runtime, stop) as parts:

        def agents(ownership: Ownership) -> Sequence[Agent]:
            owned = replace(parts, ownership=ownership)
            named = [make(owned) for name, make in AGENTS.items() if name in only]
            return [*named, index_watch(owned)]

        await run_agents(runtime, stop, parts.publish, agents)
