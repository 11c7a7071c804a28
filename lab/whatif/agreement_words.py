"""What a change would change as Markdown, for the terminal."""

from lab.shown.markdown import plain, table
from lab.whatif.agreement import Agreement, AnswerChange, AnswerReport
from lab.whatif.answers import Verified

WORDS = {
    AnswerChange.SAME: "same",
    AnswerChange.OTHER_IDENTITY: "other identity",
    AnswerChange.NOW_IDENTIFIED: "now identified",
    AnswerChange.NOW_REVIEW: "now review",
}


def agreement_summary(agreement: Agreement, before: str, after: str) -> str:
    """Return what is printed: totals by cluster, examples, and what people said."""
    if not agreement.probes:
        return "no recent probes to compare by: nothing is known of what will change"
    head = f"{agreement.probes} probes, {before} → {after}, against the present gallery"
    parts = [f"# {plain(head)}", _totals(agreement)]
    parts += [_examples(agreement)] if agreement.examples else []
    return "\n\n".join([*parts, *map(plain, _notes(agreement))])


def _totals(agreement: Agreement) -> str:
    rows = [
        [each.cluster, *_with_sum([each.counts[kind] for kind in WORDS]), each.description]
        for each in agreement.clusters
    ]
    totals = [agreement.counts[kind] for kind in WORDS]
    rows.append(["all", *_with_sum(totals), ""])
    rows.append(["", "", *(f"{count / agreement.probes:.1%}" for count in totals), ""])
    return table(
        ["cluster", "probes", *WORDS.values(), ""],
        rows,
        right=range(1, len(WORDS) + 2),
        bold_rows=(len(rows) - 2, len(rows) - 1),
    )


def _with_sum(counts: list[int]) -> list[str]:
    return [str(count) for count in (sum(counts), *counts)]


def _examples(agreement: Agreement) -> str:
    return table(
        ["for example", "", "before", "after"],
        (
            [each.event_id, WORDS[each.kind], _answer(each.before), _answer(each.after)]
            for each in agreement.examples
        ),
    )


def _answer(answer: AnswerReport) -> str:
    """Return the name, and the distance beside the threshold that decided."""
    name = "review" if answer.identity is None else answer.identity
    if answer.distance is None:
        return name
    if answer.threshold is None:
        return f"{name} {answer.distance:.3f}, no τ yet"
    sign = ">" if answer.identity is None else "≤"
    return f"{name} {answer.distance:.3f} {sign} {answer.threshold:.3f}"


def _notes(agreement: Agreement) -> list[str]:
    notes = []
    if agreement.verified is not None:
        before, after = agreement.verified
        named = before.right + before.wrong + before.review
        notes.append(f"Of {named} that people named: {_said(before)}; then {_said(after)}.")
    if agreement.left_out:
        notes.append(f"{agreement.left_out} could not be answered: not embeddings of this system.")
    if agreement.unlike is not None:
        notes.append(agreement.unlike)
    return notes


def _said(verified: Verified) -> str:
    return f"{verified.right} right, {verified.wrong} wrong, {verified.review} to review"
