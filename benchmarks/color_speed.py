"""Time and memory of the main job: a 512 × 512 × 15 cube in the colours of a 786k-pixel picture."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import scenes

RUNS = 3
LIMIT_SECONDS, LIMIT_MB = 10, 1000
IMPORTS = "import numpy, sklearn.mixture, ot, imageio.v3"


def seconds(command: list[str]) -> float:
    """Run a command and return its wall time."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the medians beside the limits, and the share that is start-up."""
    if scenes.missing():
        print("data not found")
        return
    program = str(Path(sys.executable).parent / "gwtransfer")
    with tempfile.TemporaryDirectory() as folder:
        cube, out = Path(folder) / "cube.npy", Path(folder) / "out.png"
        raster = scenes.scene("synthetic15")
        points = raster.block(0, raster.rows).points
        np.save(cube, points.reshape(raster.rows, raster.columns, -1).astype(np.float32))
        palette = str(scenes.DATA / scenes.OTHERS["gauguin"])
        command = [program, "color", str(cube), palette, "-o", str(out), "--overwrite", "-k", "15"]
        whole = statistics.median(seconds(command) for _ in range(RUNS))
        megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        imports = statistics.median(seconds([sys.executable, "-c", IMPORTS]) for _ in range(RUNS))
    print(f"whole run     {whole:6.2f} s   limit {LIMIT_SECONDS} s   (median of {RUNS})")
    print(f"bare imports  {imports:6.2f} s   {imports / whole:.0%} of the run")
    print(f"peak memory   {megabytes:6.0f} MB  limit {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
