"""What a table of distances says, in words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gwtransfer.core.scaling import Scaling
from gwtransfer.evaluating import Evaluation
from gwtransfer.report.shapes_words import Figure
from gwtransfer.report.shares import percent

Array = NDArray[np.float64]

GOOD, POOR = 0.1, 0.2
"""Stress up to which a map is right, and above which it is not to be trusted."""

SCORES = (
    ("Nearest is right", "How often the nearest other is of the same class."),
    (
        "First tier",
        "Of as many nearest as the class has others, the share that are of the class.",
    ),
    ("Second tier", "The share of the class among twice as many."),
    ("DCG", "Finds count the more the earlier they come; 1 is all of the class first."),
    ("mAP", "The mean precision where finds come; 1 is all of the class first."),
)
"""Scores of `gwtransfer evaluate`, in its order."""


def pairs_said(distances: Array, names: Sequence[str]) -> list[str]:
    """Say which of all files are nearest, and which is most alone."""
    apart = np.where(np.eye(len(distances), dtype=bool), np.inf, distances)
    one, other = divmod(int(apart.argmin()), len(names))
    nearest = apart.min(axis=1)
    alone = int(nearest.argmax())
    words = [f"The closest pair is {names[one]} and {names[other]}, {apart[one, other]:.3g} apart."]
    if not apart[one, other]:
        alike = int((np.triu(distances == 0, 1)).sum())
        words = [f"{names[one]} and {names[other]} are the same: their distance is 0."]
        if alike > 1:
            words[0] += f" So are {alike - 1} other pairs." if alike > 2 else " So is another pair."
    if len(names) > 2 and nearest[alone] > 0:
        friend = int(apart[alone].argmin())
        words.append(
            f"Most alone is {names[alone]}: even its nearest, {names[friend]}, is "
            f"{nearest[alone]:.3g} away."
        )
    return words


def against_said(distances: Array, rows: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Say the same of files that are compared with others."""
    one, other = divmod(int(distances.argmin()), len(columns))
    words = [
        f"The closest are {rows[one]} and {columns[other]}, {distances[one, other]:.3g} apart."
    ]
    nearest = distances.min(axis=1)
    alone = int(nearest.argmax())
    if len(rows) > 1 and nearest[alone] > 0:
        friend = int(distances[alone].argmin())
        words.append(
            f"Most alone is {rows[alone]}: even its nearest, {columns[friend]}, is "
            f"{nearest[alone]:.3g} away."
        )
    return words


def map_said(scaled: Scaling) -> str:
    """Say how far to trust a map."""
    share = f"The map shows {percent(scaled.explained)} of what the distances hold"
    if scaled.stress <= GOOD:
        return f"{share}: near on the map is alike."
    if scaled.stress <= POOR:
        return f"{share}: it is roughly right; the heat map is exact."
    return (
        f"{share}: a plane cannot hold these distances, so trust the heat map and the tree "
        "before the map."
    )


def classes_said(found: Evaluation) -> str:
    """Say how well the distances find classes."""
    right = round(found.overall.scores[0] * found.overall.queries)
    return (
        f"For {right} of {found.overall.queries} the nearest other is of the same class "
        f"({percent(found.overall.scores[0])})."
    )


def figures(distances: Array, scaled: Scaling | None) -> list[Figure]:
    """Return what the numbers of a table are like."""
    itself = scaled is not None
    values = distances[np.triu_indices(len(distances), 1)] if itself else distances.ravel()
    found = [
        Figure(
            name="Distances",
            value=str(len(values)),
            meaning="0 is the same. Numbers compare within a table only, as options change them.",
        ),
        Figure(name="Least", value=f"{values.min():.4g}", meaning="Between the closest pair."),
        Figure(
            name="Median", value=f"{np.median(values):.4g}", meaning="Half of them are smaller."
        ),
        Figure(name="Largest", value=f"{values.max():.4g}", meaning="Between the least alike."),
    ]
    if scaled is not None:
        found += [
            Figure(
                name="Map explains",
                value=percent(scaled.explained),
                meaning="Share of the eigenvalues that the map's two axes hold.",
            ),
            Figure(
                name="Map's stress",
                value=f"{scaled.stress:.3f}",
                meaning="How wrong distances on the map are: 0 is exact, above 0.2 is poor.",
            ),
        ]
    return found


def class_figures(found: Evaluation) -> list[Figure]:
    """Return the scores of all queries with their meanings."""
    return [
        Figure(name=name, value=f"{score:.3f}", meaning=meaning)
        for (name, meaning), score in zip(SCORES, found.overall.scores, strict=True)
    ]
