"""`make chaos`: the walk through all places, then a random walk, and a table of both.

The last line is `places N, faults N, lost N, doubled N, wrong N`; the exit status is 1 unless the
last three are 0 and the first is not.
"""

import argparse
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from crm_pipeline_tests.chaos.random_walk import SCENES
from crm_pipeline_tests.chaos.walk import BREAKAGES, SETTINGS, is_walked
from crm_pipeline_tests.chaos.workers import (
    RANDOM_WALKS,
    Tally,
    begin,
    break_everywhere,
    walk_at_random,
)
from crm_pipeline_tests.databases import make_migrated, server_in

SHOWN = 3
"""So many places are shown of what is found of one kind of fault."""


def main() -> int:
    """Runs what the command line asks for; returns the exit status."""
    asked = _asked()
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="crm-pipeline-chaos-"))
    server = server_in(folder)
    server.url("postgres")
    make_migrated(server, folder)
    try:
        with ProcessPoolExecutor(
            asked.processes, get_context("spawn"), initializer=begin, initargs=(folder,)
        ) as pool:
            tallies = _gathered(_begun(pool, asked))
    finally:
        server.stop()
        shutil.rmtree(folder)
    table = _table(tallies.values())
    print(f"\n{table}\n")
    if asked.results:
        asked.results.write_text(f"{table}\n", encoding="utf-8")
    total = Tally("all")
    for tally in tallies.values():
        total.add(tally)
    sample = f", of the places one in {asked.every}" if asked.every > 1 else ""
    print(f"{time.monotonic() - started:.0f} seconds, seed {asked.seed}{sample}")
    print(
        f"places {total.places}, faults {total.faults}, "
        f"lost {total.lost}, doubled {total.doubled}, wrong {total.wrong}"
    )
    return 0 if total.places and not (total.lost or total.doubled or total.wrong) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make chaos", description=__doc__)
    parser.add_argument(
        "--settings",
        choices=SETTINGS,
        nargs="*",
        default=list(SETTINGS),
        help="accounts' settings to walk under",
    )
    parser.add_argument("--only", default="", help="kinds of faults whose name contains this")
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        help="of the places walk each so many-th; the seed shifts it",
    )
    parser.add_argument("--random", type=float, default=60, help="seconds of the random walk")
    parser.add_argument(
        "--scenes",
        choices=SCENES,
        nargs="+",
        default=[name for name, scene in SCENES.items() if not scene.backups],
        help="of the random walk; those without restored backups, unless named",
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--processes", type=int, default=3 * (os.cpu_count() or 1))
    parser.add_argument("--results", type=Path, help="file for the table")
    return parser.parse_args()


def _begun(pool: ProcessPoolExecutor, asked: argparse.Namespace) -> list[Future[Tally]]:
    chosen = [number for number, each in enumerate(BREAKAGES) if asked.only in each.name]
    # The slow ones first: none of them is left over when all others have ended.
    slowest_first = sorted(asked.settings, key=lambda name: SETTINGS[name]["route"])
    walks = [
        # Each fault begins at another place, so that together they come to all of them.
        pool.submit(
            break_everywhere,
            settings,
            number,
            slice((asked.seed + number) % asked.every, None, asked.every),
        )
        for settings in slowest_first
        for number in chosen
        if is_walked(settings, BREAKAGES[number])
    ]
    parts = asked.processes if asked.random else 0
    scenes = sorted(asked.scenes)
    return walks + [
        pool.submit(walk_at_random, scenes[part % len(scenes)], asked.seed + part, asked.random)
        for part in range(parts)
    ]


def _gathered(begun: Sequence[Future[Tally]]) -> dict[str, Tally]:
    """Adds up what comes by kind of fault, and shows it as it comes."""
    tallies = {
        name: Tally(name) for name in (*(each.name for each in BREAKAGES), *RANDOM_WALKS.values())
    }
    for ended, future in enumerate(as_completed(begun), start=1):
        tally = future.result()
        tallies[tally.name].add(tally)
        more = len(tally.said) - SHOWN
        rest = [f"and at {more} places more"] if more > 0 else []
        part = f"{ended} of {len(begun)} parts: {tally.name}, {tally.faults} times"
        print(part, *tally.said[:SHOWN], *rest, sep="\n", flush=True)
    return {name: tally for name, tally in tallies.items() if tally.faults}


def _table(tallies: Iterable[Tally]) -> str:
    lines = ["| Fault | Times | Lost | Doubled | Wrong |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {each.name} | {each.faults} | {each.lost} | {each.doubled} | {each.wrong} |"
        for each in tallies
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
