"""JSON Schemas of what commands print with --json."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
TRUTH: Schema = {"type": "boolean"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(of: Schema, said: str = "") -> Schema:
    return {"type": "array", "items": of, **({"description": said} if said else {})}


def _table(of: Schema, said: str = "") -> Schema:
    named = {"type": "object", "additionalProperties": of}
    return {**named, **({"description": said} if said else {})}


def _object(of: Mapping[str, Schema], *, may: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": dict(of),
        "required": [name for name in of if name not in may],
        "additionalProperties": False,
    }


def _said(schema: Schema, said: str) -> Schema:
    return {**schema, "description": said}


OUTPUT = _said(TEXT, "The file or folder that was written.")
NOTES = _list(TEXT, "What a reader of the result should know.")
SCORE = _said(_or_null(NUMBER), "Null where it is undefined.")

RASTER = _object(
    {
        "file": TEXT,
        "kind": {"enum": ["picture", "cube"]},
        "rows": COUNT,
        "columns": COUNT,
        "bands": COUNT,
        "frames": _said(_or_null(COUNT), "Of a film."),
        "dtype": _said(TEXT, "The type of the stored values."),
    }
)
MIXTURE = _object(
    {
        "components": COUNT,
        "dimension": _said(COUNT, "Axes of the working space."),
        "bands": _said(COUNT, "Bands or coordinates of the file."),
        "coordinates": _said(TEXT, "oklab, bands, xyz and so on."),
        "seed": COUNT,
    }
)
PLAN = _object(
    {
        "solver": TEXT,
        "value": SCORE,
        "root": _said(_or_null(NUMBER), "The root of the value: the distance."),
        "bound": _said(_or_null(NUMBER), "Certified lower bound of the value."),
        "starts": COUNT,
        "reached": _said(COUNT, "How many starts found this value."),
        "converged": TRUTH,
        "proportions_left": _said(
            NUMBER, "Share of the mass that soft marginals take out of the target's proportions."
        ),
        "source": MIXTURE,
        "target": MIXTURE,
    }
)
ORDER = _said(
    _or_null(NUMBER), "Rank correlation of brightness before and after: 1 is kept, −1 a negative."
)
SIDE = _object(
    {
        "file": TEXT,
        **MIXTURE["properties"],
        "prepare": _said({"type": "object"}, "The stage and its options."),
        "fit": _said({"type": "object"}, "The stage and its options."),
    }
)
DEFAULT: Schema = {"type": ["string", "number", "boolean", "array", "null"]}
CELL: Schema = {"type": ["string", "number", "boolean", "null"]}
KEPT = _list(TEXT, "Outputs that were current and stayed (--skip-existing).")
SHAPE = _object({"file": TEXT, "vertices": COUNT})
SCORES = _object(
    {
        "queries": NUMBER,
        "nearest": NUMBER,
        "first_tier": NUMBER,
        "second_tier": NUMBER,
        "discounted_gain": NUMBER,
        "average_precision": NUMBER,
    }
)

MAP = _object(
    {
        "piece_gain": _said(NUMBER, "The steepest piece, in working units, as the gain cap is."),
        "piece_gain_raw": _said(NUMBER, "The same in the units of both files."),
        "piece_gains": _list(NUMBER, "One a component."),
        "local_slope": _said(
            _or_null(
                _object(
                    {"50": NUMBER, "90": NUMBER, "99": NUMBER, "100": NUMBER, "steeper": NUMBER}
                )
            ),
            "Not exceeded by so many per cent of the points; no Lipschitz constant. steeper: share "
            "of the points where mean is steeper than its pieces. Null for rand.",
        ),
        "between": _said(NUMBER, "Share of the image that splits put between far components."),
        "estimates": _said(
            _object({"total_variation": NUMBER, "kl": NUMBER}),
            "From below: how far the image is from the target.",
        ),
    }
)
BETWEEN = _table(NUMBER, "Shares of the images by mean and rand, and of the target.")
PAIR = _object(
    {
        "targets": _list(COUNT, "Components of the target, from 1."),
        "names": _list(TEXT),
        "width": _said(NUMBER, "Of what lies between, in units of the file."),
        "slab": BETWEEN,
        "gap": BETWEEN,
        "estimates": _said(
            _object({"slope_99": NUMBER, "slope_largest": NUMBER, "unavoidable": NUMBER}),
            "What would have to be in the slab if the map were nowhere steeper. unavoidable: the "
            "least of any map no steeper than 99 that has before the slab what the target has.",
        ),
    }
)
SPLIT = _object(
    {
        "component": _said(COUNT, "Of the source, from 1."),
        "weight": _said(NUMBER, "Its share of the source."),
        "parts": _list(_object({"target": COUNT, "share": NUMBER, "name": TEXT})),
        "between": _said(
            BETWEEN, "Of this component; around: by mean, of any component; target: what is there."
        ),
        "pairs": _list(PAIR),
    }
)

FIGURES: Mapping[str, Schema] = {
    "color": _object(
        {
            "output": OUTPUT,
            "report": _said(_or_null(TEXT), "The page of --report."),
            "source": RASTER,
            "palette": RASTER,
            "plan": PLAN,
            "order": ORDER,
            "notes": NOTES,
        }
    ),
    "fit": _object({"output": OUTPUT, "file": TEXT, "mixture": MIXTURE, "notes": NOTES}),
    "plan": _object({"output": OUTPUT, "plan": PLAN}),
    "apply": {
        "anyOf": [
            _object(
                {"output": OUTPUT, "source": RASTER, "plan": PLAN, "order": ORDER, "notes": NOTES}
            ),
            _object(
                {
                    "output": OUTPUT,
                    "files": _list(
                        _object({"file": TEXT, "output": TEXT, "order": ORDER, "notes": NOTES})
                    ),
                    "kept": KEPT,
                    "failed": _table(TEXT, "Each file that failed, and why."),
                }
            ),
        ]
    },
    "lut": _object(
        {
            "output": OUTPUT,
            "size": _said(COUNT, "Points along each axis."),
            "error": _said(
                _object({"mean": SCORE, "most": SCORE}),
                "On the source's colours, of a range of 1.",
            ),
            "plan": PLAN,
        }
    ),
    "measure": _object(
        {
            "figures": _table(SCORE, "By name, as in the pages on quality."),
            "undefined": _table(TEXT, "Why figures are null."),
            "pixels": COUNT,
            "whole": _said(TRUTH, "Whether all pixels were compared."),
            "notes": NOTES,
        }
    ),
    "diagnose": _object(
        {
            "sentences": _list(TEXT, "What to know and what to do, the most serious first."),
            "maps": _object({"mean": MAP, "rand": MAP}),
            "splits": _list(SPLIT, "Source components split between far target components."),
            "meeting": _said(_or_null(PAIR), "Where mean passes between far ones without a split."),
            "gain_cap": _or_null(NUMBER),
            "restored": _said(TRUTH, "Whether mean gives back what a conditional mean contracts."),
            "points": _said(COUNT, "Of the source, looked at."),
            "from_source": _said(TRUTH, "Whether they are of the file; else drawn from the plan."),
            "from_target": TRUTH,
            "notes": NOTES,
        }
    ),
    "distance": _object(
        {
            "root": _said(NUMBER, "The distance."),
            "value": NUMBER,
            "bound": _said(_or_null(NUMBER), "Certified lower bound of the value."),
            "solver": TEXT,
            "starts": COUNT,
            "reached": COUNT,
            "converged": TRUTH,
            "seeds": _list(COUNT),
            "roots": _list(NUMBER, "One a seed."),
            "least": NUMBER,
            "most": NUMBER,
            "sides": _list(SIDE),
            "notes": NOTES,
        }
    ),
    "match": _object(
        {
            "output": _or_null(TEXT),
            "report": _said(_or_null(TEXT), "The page of --report."),
            "method": TEXT,
            "source": SHAPE,
            "target": SHAPE,
            "seed": COUNT,
            "score": _said(NUMBER, "1 is a perfect match."),
            "runner_up": _or_null(NUMBER),
            "mirrored": _or_null(NUMBER),
            "upright": _or_null(NUMBER),
            "value": _or_null(NUMBER),
            "bound": _or_null(NUMBER),
            "motion": _said(_or_null(_list(_list(NUMBER))), "4 × 4, of --rigid and --prepare xyz."),
            "error": _object(
                {
                    "mean": _said(NUMBER, "Of the root of the target's area."),
                    "judged": COUNT,
                    "at": _list(NUMBER),
                    "share": _list(NUMBER, "Of the vertices with at most that error."),
                }
            ),
            "notes": NOTES,
        },
        may=("error",),
    ),
    "pairwise": _object(
        {
            "output": _said(_or_null(TEXT), "Null for a shard."),
            "report": _said(_or_null(TEXT), "The page of --report."),
            "work": _said(TEXT, "The folder of what is kept for the next run."),
            "files": COUNT,
            "failed": _table(TEXT, "Each file that failed, and why."),
            "copies": COUNT,
            "fits": _object({"kept": COUNT, "made": COUNT}),
            "pairs": _object(
                {
                    "all": COUNT,
                    "kept": COUNT,
                    "made": COUNT,
                    "never": _said(COUNT, "Left out by bounds, or of other shards."),
                    "not_converged": COUNT,
                }
            ),
        }
    ),
    "evaluate": _object(
        {
            "overall": SCORES,
            "classes": _table(SCORES),
            "confusion": _object({"labels": _list(TEXT), "counts": _list(_list(NUMBER))}),
            "targets": COUNT,
            "all_pairs": TRUTH,
            "alone": _list(TEXT, "Files with no other of their class."),
        }
    ),
    "embed": _object(
        {
            "output": OUTPUT,
            "files": COUNT,
            "explained": _said(NUMBER, "Share of the distances that the map holds."),
            "stress": _said(NUMBER, "0 is exact, 0.2 is poor."),
        }
    ),
    "report": _object(
        {
            "output": OUTPUT,
            "kind": {"enum": ["color", "match", "pairwise"]},
            "bytes": COUNT,
            "sections": _list(TEXT, "Names of the page's sections, from top to bottom."),
            "notes": NOTES,
        }
    ),
    "study": _object(
        {
            "output": OUTPUT,
            "kind": {"enum": ["pushforward", "pot", "starts", "components", "noise"]},
            "title": TEXT,
            "sentences": _list(TEXT, "What was found, in words."),
            "summary": _said({"type": "object"}, "The figures the sentences speak of."),
            "columns": _list(TEXT),
            "rows": _list(_list(CELL), "The table, as in table.csv."),
            "notes": NOTES,
        }
    ),
    "inspect": _object(
        {
            "facts": _table(
                {"anyOf": [NUMBER, TEXT, _list(TEXT)]},
                "Numbers where a fact is one; notes and origins are lists.",
            )
        }
    ),
    "stages": _object(
        {
            "stages": _list(
                _object(
                    {
                        "kind": TEXT,
                        "name": TEXT,
                        "package": TEXT,
                        "version": TEXT,
                        "fault": _said(_or_null(TEXT), "Why it cannot be used."),
                        "options": _list(
                            _object(
                                {
                                    "name": TEXT,
                                    "type": TEXT,
                                    "default": DEFAULT,
                                    "help": TEXT,
                                }
                            )
                        ),
                    }
                )
            )
        }
    ),
    "new-stage": _object({"folder": TEXT, "files": _list(TEXT)}),
}
"""What each command adds to the version and its name."""

UPKEPT = ("color", "fit", "plan", "lut", "match", "pairwise", "embed", "report", "study", "apply")
"""Commands whose single output may be current."""


def schema_of(command: str) -> Schema:
    """Return the JSON Schema of a command's object.

    Raises
    ------
    UnknownStageError
        No command of this name has --json.
    """
    from gwtransfer.keywords import refuse_unknown

    refuse_unknown([command], list(FIGURES), what="command")
    own = FIGURES[command]
    forms = [*own.get("anyOf", [own])]
    if command in UPKEPT:
        forms.append(_object({"kept": KEPT}))
    forms.append(_object({"recipe": _said({"type": "object"}, "Of --print-recipe: keywords.")}))
    signed = [_signed(command, form) for form in forms]
    return {
        "$schema": DRAFT,
        "title": f"gwtransfer {command} --json",
        "anyOf": signed,
    }


def _signed(command: str, form: Schema) -> Schema:
    head = {
        "gwtransfer": _said(TEXT, "The version that printed it."),
        "command": {"const": command},
    }
    return {
        **form,
        "properties": {**head, **form["properties"]},
        "required": [*head, *form["required"]],
    }
