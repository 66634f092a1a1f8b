"""The job: a folder of shapes to the table of their distances, or of their nearest."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwtransfer.adapters.workers import Pool
from gwtransfer.batch import fitting, journal, solving, tasks
from gwtransfer.batch.listing import Listed, listed
from gwtransfer.batch.run import Run, Shard, State, Watch
from gwtransfer.batch.table import PairTable
from gwtransfer.batch.tasks import Work
from gwtransfer.core.types import SHAPES
from gwtransfer.errors import DataError, UsageError, WriteError
from gwtransfer.io import files, matrix, neighbors
from gwtransfer.pipeline import default_solver
from gwtransfer.recipe import AUTO, Recipe, Settled, unrecorded


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What is compared with what, how, and where results go.

    Attributes
    ----------
    folder : Path
        Files of the rows.
    against : Path or None
        Files of the columns; None compares the rows with each other.
    output : Path
        A .csv, .npz or .parquet.
    recipe : Recipe
        Prepare, fit and plan.
    recursive : bool
    pattern : str or None
        See `listing.listed`.
    count : int or None
        Only so many nearest of each file; None is the whole matrix.
    shard : tuple of (int, int) or None
        Solve only part i of n, from 1, and write no table.
    work : Path or None
        What is kept between runs; None is ``OUT.work``.
    overwrite : bool

    Raises
    ------
    UsageError
        A combination that could never work.
    """

    folder: Path
    output: Path
    recipe: Recipe
    against: Path | None = None
    recursive: bool = False
    pattern: str | None = None
    count: int | None = None
    shard: Shard | None = None
    work: Path | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        matrix.check_name(self.output)
        if self.count is not None and self.count < 1:
            raise UsageError(f"--nearest {self.count}: expected at least 1")
        if self.shard is not None and self.count is not None:
            raise UsageError(
                "--nearest leaves out pairs by what others give, so it has no shards; leave out "
                "--shard, or --nearest until all shards are done"
            )
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            raise UsageError(
                f"--shard {self.shard[0]}/{self.shard[1]}: expected I/N with I from 1 to N"
            )

    @property
    def work_folder(self) -> Path:
        """Where fits and pairs are kept, as a user calls it."""
        return self.work or self.output.with_name(self.output.name + ".work")

    @property
    def kept(self) -> Work:
        """Where fits and pairs are kept, for workers."""
        return Work(folder=self.work_folder.absolute())

    def inputs(self) -> list[Path]:
        """Return the files there are to compare.

        Raises
        ------
        ReadError, DataError
            There are none, or too few.
        """
        rows, columns = _listed(self)
        return [one.path for one in (*rows, *(columns or []))]


def pairwise(
    batch: Batch,
    pool: Callable[[Path], AbstractContextManager[Pool]],
    watch: Watch,
    settled: Settled = unrecorded,
) -> State:
    """Compare all files of a batch and write the table.

    Each file is fitted once and each pair solved once in the work folder's lifetime: stopped
    however, it goes on there when called again. The table depends on files and options only.

    Parameters
    ----------
    batch : Batch
    pool : callable
        The work folder to a context that carries tasks out.
    watch : callable
    settled : callable

    Returns
    -------
    State
        Final; files that failed are in it and the table is without them.

    Raises
    ------
    DataError
        Too few files can be fitted, they are of two kinds, or a pair cannot be solved.
    WriteError
        The output exists, or cannot be written.
    """
    rows, columns = _listed(batch)
    paths = [one.path for one in (*rows, *(columns or []))]
    if batch.shard is None:
        files.check_output(batch.output, overwrite=batch.overwrite, inputs=paths)
    recipe = fitting.with_prepare(batch.recipe, paths, only_shapes=batch.pattern is None)
    settled(_settled(recipe))
    _make(batch.work_folder)
    with pool(batch.kept.folder) as workers:
        run = Run(work=batch.kept, workers=workers, shard=batch.shard, state=State(), watch=watch)
        fit_of = fitting.fits(run, recipe, paths)
        rows, columns = _fitted_only(batch, rows, columns, fit_of, run.state)
        pairs = _pairs(run, recipe, rows, columns, fit_of)
        pairs.gather()
        found = None
        try:
            if batch.count is None:
                pairs.solve(pairs.table.missing(), pairs.unknown)
            else:
                found = pairs.nearest(batch.count, itself=columns is None)
        finally:
            journal.close(run.work.pairs, run.token)
    if batch.shard is None:
        _write(batch, rows, columns, pairs.table, found)
    return run.state


def _settled(recipe: Recipe) -> Recipe:
    """Return the recipe with what is known before a file is fitted: of shapes, everything."""
    prepare = recipe.name("prepare")
    auto = default_solver(prepare, prepare) if prepare in SHAPES else AUTO
    named = {kind: recipe.name(kind) for kind in ("prepare", "fit")}
    return solving.with_starts(recipe, auto).settled(**named, plan=auto)


def _listed(batch: Batch) -> tuple[list[Listed], list[Listed] | None]:
    def find(folder: Path) -> list[Listed]:
        return listed(
            folder,
            recursive=batch.recursive,
            pattern=batch.pattern,
            leave_out=batch.kept.folder,
        )

    rows = find(batch.folder)
    columns = None if batch.against is None else find(batch.against)
    if columns is None and len(rows) < 2:
        raise DataError(
            f"{batch.folder}: expected at least two files to compare, found {rows[0].name}; "
            "--against names others to compare it with"
        )
    return rows, columns


def _make(folder: Path) -> None:
    for part in (Work(folder=folder).fits, Work(folder=folder).pairs):
        try:
            part.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{part}: cannot be made: {error.strerror}") from error


def _fitted_only(
    batch: Batch,
    rows: list[Listed],
    columns: list[Listed] | None,
    fit_of: Mapping[Path, str],
    state: State,
) -> tuple[list[Listed], list[Listed] | None]:
    """Leave out the files without a fit.

    Raises
    ------
    DataError
        Too few are left to compare.
    """
    kept_rows = [one for one in rows if one.path in fit_of]
    kept_columns = None if columns is None else [one for one in columns if one.path in fit_of]
    for folder, kept, given, least in (
        (batch.folder, kept_rows, rows, 2 if columns is None else 1),
        (batch.against, kept_columns, columns, 1),
    ):
        if kept is not None and given is not None and len(kept) < least:
            bad = [state.failed[one.path] for one in given if one.path in state.failed]
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            raise DataError(
                f"{folder}: expected at least {least} that can be fitted, found {len(kept)} of "
                f"{len(given)}: {bad[0]}{more}"
            )
    return kept_rows, kept_columns


def _pairs(
    run: Run,
    recipe: Recipe,
    rows: Sequence[Listed],
    columns: Sequence[Listed] | None,
    fit_of: Mapping[Path, str],
) -> solving.Pairs:
    others = rows if columns is None else columns
    coordinates = (
        {
            tasks.mixture(run.work.fit(fit_of[one.path])).space.coordinates: str(one.path)
            for one in reversed(side)
        }
        for side in (rows, others)
    )
    stage, plan = solving.solver(recipe, *coordinates)
    return solving.Pairs(
        run=run,
        table=PairTable(
            [fit_of[one.path] for one in rows],
            None if columns is None else [fit_of[one.path] for one in columns],
        ),
        stage=stage,
        plan=plan,
        name_of={fit_of[one.path]: one.name for one in reversed([*rows, *others])},
    )


def _write(
    batch: Batch,
    rows: Sequence[Listed],
    columns: Sequence[Listed] | None,
    table: PairTable,
    found: NDArray[np.int64] | None,
) -> None:
    names = tuple(one.name for one in rows)
    against = None if columns is None else tuple(one.name for one in columns)
    distances = np.sqrt(table.values)
    with files.whole(batch.output, overwrite=batch.overwrite) as temporary:
        if found is None:
            whole = matrix.DistanceMatrix(distances=distances, names=names, against=against)
            matrix.write_matrix(whole, temporary)
        else:
            near = neighbors.Neighbors(
                neighbors=found,
                distances=np.take_along_axis(distances, found, axis=1),
                names=names,
                against=against,
            )
            neighbors.write_neighbors(near, temporary)
