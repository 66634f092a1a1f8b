"""Cubes larger than memory through `color`: peak memory, and time over one pass of reading.

Each cube is an ENVI file of 200 bands of int16, made of a small scene repeated with noise, and is
deleted afterwards. Peak memory is what the kernel counted for the whole process.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from gwtransfer.opening import Opening, open_rasters

BANDS = 200
PASS_BYTES = 8_000_000


def write_cube(path: Path, size: float, interleave: str, columns: int) -> int:
    """Write an ENVI cube of about ``size`` gigabytes; returns its rows."""
    rows = int(size * 1e9 / (2 * BANDS * columns))
    rng = np.random.default_rng(0)
    places = np.linspace(0, 1, BANDS)
    peaks, widths = rng.random((12, 1)), rng.uniform(0.05, 0.4, (12, 1))
    materials = 4000 * rng.random((12, 1)) * np.exp(-(((places - peaks) / widths) ** 2))
    mixed = rng.dirichlet(np.full(12, 0.15), 64 * columns) @ materials
    tile = (mixed + rng.normal(0, 5, mixed.shape)).astype("<i2").reshape(64, columns, BANDS)
    with path.open("wb") as file:
        if interleave == "bsq":
            for band in range(BANDS):
                repeated = np.resize(tile[:, :, band], (rows, columns))
                file.write(repeated.tobytes())
        else:
            lines = tile.transpose(0, 2, 1) if interleave == "bil" else tile
            for start in range(0, rows, 64):
                file.write(np.ascontiguousarray(lines[: min(64, rows - start)]).tobytes())
    waves = ", ".join(f"{value:.1f}" for value in np.linspace(400, 2500, BANDS))
    path.with_suffix(".hdr").write_text(
        f"ENVI\nsamples = {columns}\nlines = {rows}\nbands = {BANDS}\nheader offset = 0\n"
        f"file type = ENVI Standard\ndata type = 2\ninterleave = {interleave}\nbyte order = 0\n"
        f"wavelength units = Nanometers\nwavelength = {{{waves}}}\n"
    )
    return rows


def one_pass(path: Path) -> float:
    """Return the seconds it takes to read every byte once."""
    start = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(PASS_BYTES)
        while file.readinto(buffer):
            pass
    return time.perf_counter() - start


def block_pass(path: Path) -> float:
    """Return the seconds it takes the program's reader to make every block of floats once."""
    (raster,) = open_rasters(Opening(), path)
    start = time.perf_counter()
    for _ in raster.blocks():
        pass
    return time.perf_counter() - start


def color(cube: Path, palette: Path, output: Path, options: list[str]) -> tuple[float, float]:
    """Return seconds and peak megabytes of one run of the program."""
    program = Path(sys.executable).with_name("gwtransfer")
    command = [program, "color", cube, palette, "-o", output, "--overwrite", *options]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1e3


def main() -> None:
    """Print a table, and with --json write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.5, 4.0], help="gigabytes")
    parser.add_argument("--interleave", default="bil", choices=["bsq", "bil", "bip"])
    parser.add_argument("--columns", type=int, default=1000)
    parser.add_argument("--format", default="tif", help="extension of the result")
    parser.add_argument("--folder", type=Path, default=None, help="where to put the cubes")
    parser.add_argument("--json", type=Path)
    parser.add_argument("options", nargs="*", help="options of color, after --")
    args = parser.parse_args()
    palette = Path(__file__).parents[1] / "sample_data" / "flower.png"
    heads = ["GB", "rows", "bytes read, s", "blocks read, s", "color, s"]
    heads += ["color / bytes", "color / blocks", "peak, MB"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    table = []
    for size in args.sizes:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            cube = Path(folder) / "cube.img"
            # In a process of its own: what this one ever held counts as its children's peak too.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
                made = other.submit(write_cube, cube, size, args.interleave, args.columns)
                rows = made.result()
            one_pass(cube)
            reading, blocks = one_pass(cube), block_pass(cube)
            seconds, peak = color(cube, palette, Path(folder) / f"out.{args.format}", args.options)
        row = {"GB": size, "rows": rows, "bytes_s": reading, "blocks_s": blocks}
        row |= {
            "color_s": seconds,
            "over_bytes": seconds / reading,
            "over_blocks": seconds / blocks,
        }
        row |= {"peak_MB": peak}
        print("| " + " | ".join(f"{value:.4g}" for value in row.values()) + " |")
        table.append(row)
    print(f"\nmemory grows by {table[-1]['peak_MB'] / table[0]['peak_MB'] - 1:+.1%}")
    if args.json:
        args.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
