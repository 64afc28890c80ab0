"""Measuring: how right a model is at every threshold, per label and overall, and which samples it gets wrong."""

from sandglass.evaluation.badcases import BadcaseFilter, is_badcase, select_badcases, wrong_matches
from sandglass.evaluation.comparison import Comparison, compare
from sandglass.evaluation.metrics import THRESHOLDS, measure, threshold_index
from sandglass.evaluation.results import Counts, LabelResult, Results
from sandglass.evaluation.summary import LabelSummary, Overall, Summary, summarise

__all__ = [
    "THRESHOLDS",
    "BadcaseFilter",
    "Comparison",
    "Counts",
    "LabelResult",
    "LabelSummary",
    "Overall",
    "Results",
    "Summary",
    "compare",
    "is_badcase",
    "measure",
    "select_badcases",
    "summarise",
    "threshold_index",
    "wrong_matches",
]
