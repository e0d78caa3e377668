"""Results as the JSON objects that scripts rely on."""

from typing import Any

import numpy as np

from facerec.evaluation.metrics.bootstrap import Interval, rate_key
from facerec.evaluation.metrics.detections import DetectionScores, recall_by_size
from facerec.evaluation.metrics.groups import GroupRates, SearchGroupRates
from facerec.evaluation.metrics.rates import RateAtRate, least_claimable
from facerec.evaluation.protocols.identification import IdentificationResult
from facerec.evaluation.protocols.verification import PairsResult, VerificationResult
from facerec.evaluation.report.subject import Failures

__all__ = [
    "detection_record", "group_record", "identification_record", "verification_record",
]  # fmt: skip


def verification_record(
    result: VerificationResult, pairs: PairsResult | None, failures: Failures
) -> dict[str, Any]:
    """Return the JSON form of a 1:1 evaluation.

    Keys: ``accuracy``, ``accuracy_std`` (over folds) and ``folds`` where a pairs file was given;
    ``tar_at_far`` by rate, ``tar_at_far_at_most`` for rates that too few comparisons were made
    for, ``thresholds`` by rate; ``eer``; ``fta``; ``counts``; ``intervals`` (95 %, over people).
    """
    made = result.comparisons
    intervals = _nested(result.intervals)
    record: dict[str, Any] = {}
    if pairs is not None:
        record |= {
            "accuracy": pairs.accuracy.mean,
            "accuracy_std": pairs.accuracy.std,
            "accuracy_standard_error": pairs.accuracy.standard_error,
            "folds": pairs.accuracy.folds.tolist(),
        }
        if pairs.interval is not None:
            intervals["accuracy"] = pairs.interval.ends
    return {
        **record,
        "tar_at_far": {rate_key(a.at): a.rate for a in result.tar_at_far if not a.bound},
        "tar_at_far_at_most": {rate_key(a.at): a.rate for a in result.tar_at_far if a.bound},
        "thresholds": {rate_key(a.at): a.threshold for a in result.tar_at_far if not a.bound},
        "least_far": least_claimable(made.non_mated.total),
        "eer": result.eer,
        "fta": failures.fta,
        "counts": {
            "people": made.people_count,
            **failures.record(),
            "mated_comparisons": len(made.mated),
            "mated_comparisons_failed": made.mated.failed,
            "non_mated_comparisons": made.non_mated.total,
            **({} if pairs is None else _pair_counts(pairs)),
        },
        "intervals": intervals,
    }


def identification_record(
    results: tuple[IdentificationResult, ...], failures: Failures
) -> dict[str, Any]:
    """Return the JSON form of an open-set 1:N evaluation; the first result gives the headline.

    Keys: ``fnir_at_fpir`` by rate (``fnir_at_fpir_at_least`` for rates that too few strangers were
    there for), ``rank1``, ``fta``, ``fte``, ``counts``, ``intervals``, ``draws`` (FNIR over random
    choices of references), and ``by_references`` with the same for each number of references.
    """
    parts = {str(result.references_each): _one_gallery(result) for result in results}
    return {
        **parts[str(results[0].references_each)],
        "fta": failures.fta,
        "by_references": parts,
        "pictures": failures.record(),
    }


def detection_record(
    judged: DetectionScores, score: float, intervals: dict[str, Interval]
) -> dict[str, Any]:
    """Return the JSON form of a detection evaluation.

    Keys: ``ap50``; ``recall`` and ``false_positives_per_image`` at the score of the settings;
    ``recall_by_size``; ``landmark_error`` where landmarks are annotated; ``fta`` (images that
    could not be read); ``counts``.
    """
    return {
        "ap50": judged.ap50,
        "score": score,
        "recall": judged.recall_at(score),
        "false_positives_per_image": judged.false_positives_per_image(score),
        "recall_by_size": [
            {
                "least_px": band.least_px,
                "below_px": None if np.isinf(band.below_px) else band.below_px,
                "faces": band.faces,
                "recall": band.recall,
            }
            for band in recall_by_size(judged, score)
        ],
        "landmark_error": (
            float(np.mean(judged.landmark_errors)) if len(judged.landmark_errors) else None
        ),
        "fta": judged.failed_images / max(judged.images, 1),
        "counts": {
            "images": judged.images,
            "failed_images": judged.failed_images,
            "faces": len(judged.face_scores),
            "detections": len(judged.scores),
            "landmarked_faces": len(judged.landmark_errors),
        },
        "intervals": _nested(intervals),
    }


def group_record(rates: GroupRates | SearchGroupRates) -> dict[str, Any]:
    """Return the JSON form of one group's rates; an interval is a list of both ends."""
    return {
        name: value.ends if isinstance(value, Interval) else value
        for name, value in vars(rates).items()
    }


def _one_gallery(result: IdentificationResult) -> dict[str, Any]:
    def draw(column: int, answer: RateAtRate) -> dict[str, float]:
        values = [answer.rate, *result.draws[:, column]]
        return {"mean": float(np.mean(values)), "min": min(values), "max": max(values)}

    answers = list(enumerate(result.fnir_at_fpir))
    return {
        "fnir_at_fpir": {f"{a.at:g}": a.rate for _, a in answers if not a.bound},
        "fnir_at_fpir_at_least": {f"{a.at:g}": a.rate for _, a in answers if a.bound},
        "thresholds": {f"{a.at:g}": a.threshold for _, a in answers if not a.bound},
        "least_fpir": least_claimable(len(result.scores.stranger)),
        "rank1": result.scores.rank1,
        "fte": result.failed_enrolments / max(result.people, 1),
        "references_each": result.references_each,
        "counts": {
            "enrolled": result.scores.searched,
            "failed_enrolments": result.failed_enrolments,
            "references": len(result.split.references),
            "probes": len(result.split.probes),
            "strangers": len(result.split.strangers),
            "draws": 1 + len(result.draws),
        },
        "intervals": _nested(result.intervals),
        "draws": {f"{a.at:g}": draw(i, a) for i, a in answers if not a.bound},
    }


def _pair_counts(pairs: PairsResult) -> dict[str, int]:
    return {"pairs": len(pairs.scores), "pairs_failed": pairs.failed}


def _nested(intervals: dict[str, Interval]) -> dict[str, Any]:
    """Turn ``{"tar_at_far:1e-3": x}`` into ``{"tar_at_far": {"1e-3": x}}``."""
    record: dict[str, Any] = {}
    for key, interval in intervals.items():
        name, _, rate = key.partition(":")
        if rate:
            record.setdefault(name, {})[rate] = interval.ends
        else:
            record[name] = interval.ends
    return record
