"""The account of a run as a person reads it."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.torture.account import Account, Restarts
from lab.shown.tables import table

_SHOWN = 10
_ENDS_WITHIN_S = 15.0  # what docs/operating.md promises


def show(account: Account, out: Console) -> None:
    """Write the account: the figures, the services, then whatever does not add up."""
    out.print(_figures(account))
    out.print(_services(account))
    for title, lines in _problems(account).items():
        if lines:
            out.print(f"{title}: {len(lines)}", style="bold red")
        for line in lines[:_SHOWN]:
            out.print(f"  {line}", markup=False, soft_wrap=True)
    if account.clean:
        out.print("nothing lost, nothing wrong, no difference", style="bold green")
    else:
        out.print("it does not add up", style="bold red")


def _problems(account: Account) -> Mapping[str, list[str]]:
    return {
        "lost": account.lost,
        "wrong": account.wrong,
        "gallery is not as decided": account.decided,
        "erased, and came back": account.returned,
        "Redis is not as the gallery": account.in_redis,
    }


def _figures(account: Account) -> Table:
    grid = table("what", "figure")
    grid.show_header = False
    median, most, longest = account.waits_s
    outcomes = ", ".join(f"{count:,} {kind}" for kind, count in sorted(account.outcomes.items()))
    rows = {
        "length": f"{account.seconds:.0f} s, seed {account.seed}",
        "broker": account.broker,
        "published": f"{account.published:,}, of which bad {account.bad:,}; "
        f"and {account.repeats:,} repeats",
        "outcomes": f"{outcomes}; {account.certain:,} of which the answer was certain",
        "decided": f"{account.decisions:,} answers, {account.commands:,} commands; "
        f"{account.entries:,} entries",
        "faults": f"{sum(account.faults.values())}; {account.spared} spared a victim that was down",
        "lost": f"{len(account.lost)}",
        "wrong": f"{len(account.wrong)}",
        "differences": f"gallery from what was decided {len(account.decided)}, erased that came "
        f"back {len(account.returned)}, Redis from gallery {len(account.in_redis)}",
        "wait": f"median {median:.2f} s, 95 % {most:.1f} s, longest {longest:.1f} s",
        "longest stall": f"{account.stall_s:.1f} s on {account.stall}",
    }
    for row in rows.items():
        grid.add_row(*row)
    return grid


def _end(took_s: float) -> Text:
    late = took_s > _ENDS_WITHIN_S
    return Text(f"{took_s:.1f} s", style="bold red" if late else "")


def _services(account: Account) -> Table:
    grid = table(
        "service", "restarts", "by us", "by itself", "slowest end", "MiB", "late", "most", "MiB/h"
    )
    for name, memory in account.memory.items():
        count = account.restarts.get(name, Restarts(0, 0))
        end = account.slowest_end_s.get(name)
        grid.add_row(
            name,
            f"{count.times}",
            f"{count.by_us}",
            f"{count.by_itself}",
            "" if end is None else _end(end),
            f"{memory.early:.0f}",
            f"{memory.late:.0f}",
            f"{memory.most:.0f}",
            "" if memory.growth_per_hour is None else f"{memory.growth_per_hour:+.0f}",
        )
    return grid
