"""One run of a batch: who works, where things are kept, and how far it is."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gwtransfer.adapters.workers import Pool
from gwtransfer.batch import keys
from gwtransfer.batch.tasks import Work

Shard = tuple[int, int]
"""Part i of n, from 1."""


@dataclass(kw_only=True)
class State:
    """Counts that grow while a batch runs.

    Attributes
    ----------
    doing : str
        What is being done, in a word.
    files, fits_kept, fits_made : int
        Inputs; different contents of theirs that were fitted before, and now.
    copies : int
        Inputs whose content is that of another one.
    failed : dict of Path to str
        Why a file was left out, in one line that names it.
    pairs, pairs_kept, pairs_made : int
        Different pairs there are to solve; those solved before, and now.
    bounds : int
        Pairs whose lower bound is known.
    stopped : int
        Pairs among them whose solver had not converged.
    last : str
        The last file fitted or the last pair solved.
    """

    doing: str = "reading"
    files: int = 0
    fits_kept: int = 0
    fits_made: int = 0
    copies: int = 0
    failed: dict[Path, str] = field(default_factory=dict)
    pairs: int = 0
    pairs_kept: int = 0
    pairs_made: int = 0
    bounds: int = 0
    stopped: int = 0
    last: str = ""

    @property
    def skipped(self) -> int:
        """Pairs that nobody solved: bounds told enough, or they are of other shards."""
        return self.pairs - self.pairs_kept - self.pairs_made


Watch = Callable[[State], None]
"""Called whenever something is done."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the steps of a run share.

    Attributes
    ----------
    work : Work
    workers : Pool
    shard : tuple of (int, int) or None
        The part of all pairs that is asked for.
    state : State
    watch : Watch
    token : str
        What journals of this run have in common.
    """

    work: Work
    workers: Pool
    shard: Shard | None
    state: State
    watch: Watch
    token: str = field(default_factory=lambda: secrets.token_hex(4))

    def doing(self, word: str) -> None:
        """Say what comes next."""
        self.state.doing = word
        self.watch(self.state)

    def asks_for(self, name: str) -> bool:
        """Tell whether something of this name belongs to the shard; without shards all does."""
        if self.shard is None:
            return True
        part, parts = self.shard
        return keys.share(name, parts) == part - 1
