"""The agents as the settings say they are, whatever index and topics they are given."""

from collections.abc import Callable
from datetime import timedelta

from recognition.include import InclusionRule
from recognition.retain import RetentionRule
from schemas.metrics import Metrics
from schemas.settings import Settings
from schemas.topics import GALLERY_COMMANDS, HUMAN_REVIEW, IDENTIFICATIONS
from streams.conditioning.placement import Placements
from streams.gallery.activation import Activator, ConditioningLog
from streams.gallery.agent import GalleryAgent
from streams.gallery.commands import Planner
from streams.gallery.tenure import GalleryLog
from streams.index.base import Index
from streams.matching.matcher import Matcher
from streams.matching.self_enrolment import Includer
from streams.review import ReviewAgent


def matcher_of(
    settings: Settings, metrics: Metrics, index: Index, placements: Placements
) -> Matcher:
    """Return a matcher, which enrols by itself if the settings say so."""
    commands = settings.topic(GALLERY_COMMANDS)
    rule = InclusionRule(settings.include_surer, settings.include_new)
    return Matcher(
        index,
        placements=placements,
        neighbours=settings.neighbours,
        identifications=settings.topic(IDENTIFICATIONS),
        human_review=settings.topic(HUMAN_REVIEW),
        metrics=metrics,
        includer=(
            Includer(rule, gallery_commands=commands, metrics=metrics) if settings.include else None
        ),
    )


def review_of(settings: Settings) -> ReviewAgent:
    """Return a review agent."""
    return ReviewAgent(
        identifications=settings.topic(IDENTIFICATIONS),
        gallery_commands=settings.topic(GALLERY_COMMANDS),
    )


def retention_of(settings: Settings) -> RetentionRule:
    """Return the rule of retention."""
    return RetentionRule(
        max_age=settings.retention_max_age,
        newest=settings.retention_newest,
        mad_cutoff=settings.retention_mad,
    )


def gallery_of(
    settings: Settings,
    metrics: Metrics,
    index: Index,
    placements: Placements,
    *,
    gallery_log: GalleryLog,
    conditionings: ConditioningLog,
    rule: RetentionRule,
    ownership: Callable[[], int | None],
) -> GalleryAgent:
    """Return a gallery agent on these topics."""
    return GalleryAgent(
        index,
        gallery_log,
        activator=Activator(conditionings, placements, settings.target_fpir),
        planner=Planner(settings.shard_by),
        rule=rule,
        retention_interval=timedelta(seconds=settings.retention_interval_s),
        ownership=ownership,
        metrics=metrics,
        verify_interval=timedelta(seconds=settings.verify_interval_s),
    )
