"""Every performance row: measured, printed, written to a file, and put into docs/performance.md.

A benchmark joins by having `rows()`, and `draw(folder)` where it draws them. One that cannot be
measured here says why and is passed over.
"""

import argparse
import importlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import shorten

import numpy as np
from rows import Row, show, shown
from threadpoolctl import threadpool_info

BENCHMARKS = {
    "end to end": "end_to_end",
    "pictures": "pictures",
    "fit": "fits",
    "plan": "plans",
    "map": "maps",
    "start-up": "startup",
    "growth": "growth",
    "distributed": "cluster",
    "device": "device",
}

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- {}: made by benchmarks/bench.py --markdown -->", "<!-- end -->"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="repeatable")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE")
    parser.add_argument("--markdown", action="store_true", help="fill docs/performance.md")
    args = parser.parse_args()
    machine = described()
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    measured: dict[str, list[Row]] = {}
    skipped: dict[str, str] = {}
    for group in args.only or BENCHMARKS:
        print(f"\n{group}", flush=True)
        measured[group] = []
        try:
            benchmark = importlib.import_module(BENCHMARKS[group])
            for row in benchmark.rows():
                measured[group].append(row)
                show(row)
            if args.markdown and hasattr(benchmark, "draw"):
                benchmark.draw(DOCUMENT.parent)
        except Exception as error:  # one benchmark that fails takes no other with it
            skipped[group] = shorten(f"{type(error).__name__}: {error}", 160)
        else:
            if not measured[group]:
                skipped[group] = "no row"
        if group in skipped:
            print(f"  skipped: {skipped[group]}", flush=True)
    write(args.json, machine, measured, skipped)
    if args.markdown:
        text = DOCUMENT.read_text(encoding="utf-8")
        for group, rows in measured.items():
            if rows and group not in skipped:
                text = filled(text, group, table(rows, machine))
        DOCUMENT.write_text(text, encoding="utf-8")


def described() -> dict[str, str | int]:
    """Return what the figures depend on beside the project: versions, BLAS, cores."""
    blas = {f"{pool['internal_api']} {pool['version']}" for pool in threadpool_info()}
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "BLAS": " and ".join(sorted(blas)),
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
    }


def write(
    path: Path,
    machine: Mapping[str, str | int],
    measured: Mapping[str, Sequence[Row]],
    skipped: Mapping[str, str],
) -> None:
    """Write what was measured as JSON."""
    rows = [asdict(row) | {"met": row.met} for rows in measured.values() for row in rows]
    whole = {"machine": machine, "rows": rows, "skipped": skipped}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table(rows: Sequence[Row], machine: Mapping[str, str | int]) -> str:
    """Return rows as a table in Markdown, under it where they were measured."""
    lines = ["| measured | value | wanted | met | bounded by | note |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (row.name, *shown(row), row.limit, row.note)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    where = ", ".join(f"{name} {value}" for name, value in machine.items())
    return "\n".join([*lines, "", f"({where})"])


def filled(text: str, group: str, table: str) -> str:
    """Return a document with what stands between a group's marks replaced.

    Raises
    ------
    ValueError
        The document has no such marks.
    """
    begin = BEGIN.format(group)
    head, found, rest = text.partition(begin)
    _, ended, tail = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"{DOCUMENT}: expected {begin} and {END}")
    return f"{head}{begin}\n{table}\n{END}{tail}"


if __name__ == "__main__":
    main()
