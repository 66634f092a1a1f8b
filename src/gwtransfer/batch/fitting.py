"""Every file of a batch to a kept mixture, unless there is one already."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from gwtransfer.batch import keys, tasks
from gwtransfer.batch.run import Run
from gwtransfer.batch.tasks import FitTask, Fitted
from gwtransfer.core.raster import Raster
from gwtransfer.core.types import SHAPES
from gwtransfer.errors import GwTransferError
from gwtransfer.io import store
from gwtransfer.opening import Opening
from gwtransfer.pipeline import default_solver
from gwtransfer.recipe import AUTO, AUTO_FITS, Recipe


def with_prepare(recipe: Recipe, paths: Sequence[Path], *, only_shapes: bool) -> Recipe:
    """Return the recipe with its prepare and fit stages named, the same for all files.

    Parameters
    ----------
    recipe : Recipe
    paths : sequence of Path
    only_shapes : bool
        Whether the files were chosen by the extensions of shapes; else the first that can be
        opened decides.

    Raises
    ------
    UsageError
        A wrong option, found before any work.
    """
    recipe.check_distance()
    if AUTO in (recipe.name("prepare"), recipe.name("fit")):
        shapes = only_shapes or recipe.name("prepare") in SHAPES or _are_shapes(paths)
        chosen = {"prepare": "xyz" if shapes else "color", "fit": AUTO_FITS[shapes]}
        named = {kind: recipe.name(kind) for kind in chosen if recipe.name(kind) != AUTO}
        recipe = replace(recipe, stages={**recipe.stages, **chosen, **named})
    recipe.build("prepare")
    recipe.build("fit")
    if recipe.name("plan") == AUTO and recipe.name("prepare") in SHAPES:
        recipe.build("plan", auto=default_solver("xyz", "xyz"))
    return recipe


def _are_shapes(paths: Sequence[Path]) -> bool:
    """Tell whether the first file that can be opened is no picture or cube."""
    for path in paths:
        if store.is_artefact(path):
            continue
        try:
            (item,) = Opening()(path)
        except GwTransferError:
            continue
        return not isinstance(item, Raster)
    return True


def fits(run: Run, recipe: Recipe, paths: Sequence[Path]) -> dict[Path, str]:
    """Fit what is not fitted yet; return the key of each file's mixture, without the failed.

    Parameters
    ----------
    run : Run
        Its state is told what failed.
    recipe : Recipe
        Of `with_prepare`.
    paths : sequence of Path
    """
    state = run.state
    digests = _digests(run, paths)
    stages = {kind: recipe.resolved(kind) for kind in ("prepare", "fit")}
    key_of = {
        path: keys.fit_key(digest, path, stages, recipe.seed) for path, digest in digests.items()
    }
    path_of = {key: path for path, key in reversed(key_of.items())}
    tasks.mixture.cache_clear()  # a file may have been damaged since it was read
    unfitted = [key for key in path_of if not _is_kept(run.work.fit(key))]
    state.fits_kept, state.copies = len(path_of) - len(unfitted), len(key_of) - len(path_of)
    run.doing("fitting")
    # A shard's own come first: the others may be fitted by their shards meanwhile.
    unfitted.sort(key=lambda key: not run.asks_for(key))
    asked = (
        FitTask(
            path=path_of[key].absolute(),
            key=key,
            digest=digests[path_of[key]],
            recipe=recipe,
            work=run.work,
        )
        for key in unfitted
    )
    failed: dict[str, str] = {}
    if unfitted:
        with closing(run.workers.each(tasks.fit, asked)) as fitted:
            for one in fitted:
                _note(run, one, path_of[one.key], failed)
    for path, key in key_of.items():
        if key in failed:
            state.failed[path] = failed[key].replace(str(path_of[key]), str(path))
    return {path: key for path, key in key_of.items() if key not in failed}


def _digests(run: Run, paths: Sequence[Path]) -> Mapping[Path, str]:
    """Return a digest of the content of each file that can be read."""
    digests: dict[Path, str] = {}
    unique = dict.fromkeys(paths)
    run.state.files = len(unique)
    run.doing("reading")
    for path in unique:
        try:
            digests[path] = keys.content(path)
        except GwTransferError as error:
            run.state.failed[path] = str(error)
    return digests


def _note(run: Run, fitted: Fitted, path: Path, failed: dict[str, str]) -> None:
    state = run.state
    if fitted.error is not None:
        failed[fitted.key] = fitted.error.replace(str(path.absolute()), str(path))
        state.failed[path] = failed[fitted.key]
    elif fitted.made:
        state.fits_made += 1
    else:
        state.fits_kept += 1
    state.last = str(path)
    run.watch(state)


def _is_kept(path: Path) -> bool:
    """Tell whether a mixture is there and whole; what a full disk or a bad copy left is removed."""
    if not path.exists():
        return False
    try:
        tasks.mixture(path)
    except GwTransferError:
        path.unlink(missing_ok=True)
        return False
    return True
