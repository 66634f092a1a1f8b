"""What a plan's maps do to the data: how steep they are, and what they paint between far modes."""

from gwtransfer.diagnosing.job import diagnose, diagnose_files, kept_map
from gwtransfer.diagnosing.values import Diagnosis, MapDiagnosis, Pair, Part, Slope, Split

__all__ = [
    "Diagnosis",
    "MapDiagnosis",
    "Pair",
    "Part",
    "Slope",
    "Split",
    "diagnose",
    "diagnose_files",
    "kept_map",
]
