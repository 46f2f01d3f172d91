"""Whether probabilities mean what they say: of the rows given 80 %, do 80 % turn out so?

Shapes: ``N`` rows, ``C`` classes (multilabel: labels), ``B`` bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ignite_workflow.losses import Loss
from ignite_workflow.targets import Target

__all__ = ["Calibration", "CalibrationSums", "has_probabilities"]

_BINS = 10
_SCORES_ONLY = ("hinge_embedding", "multi_label_margin", "multi_margin")

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Probabilities against what came true, in bins of equal width from 0 to 1.

    Attributes:
        of: what the probabilities are of: ``the predicted class`` (of several), the second class (of two), ``labels``.
        counts: predictions in each bin, int64 (B,).
        probability: their mean probability (B,); NaN where there are none.
        share: of them that came true (B,); NaN where there are none.
    """

    of: str
    counts: NDArray[np.int64]
    probability: Floats
    share: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of probability and share over the predictions.

        Source: Naeini, Cooper, Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning (2015).
        """
        return self._mean(np.abs(self.probability - self.share))

    @property
    def by_chance(self) -> float:
        """The error to be expected with so few rows, were every probability right.

        A bin's share then strays from its probability p with the standard deviation s = sqrt(p (1 - p) / count), and
        the mean distance is s sqrt(2 / pi).
        """
        spread = np.sqrt(self.probability * (1 - self.probability) / np.maximum(self.counts, 1))
        return self._mean(spread * np.sqrt(2 / np.pi))

    @property
    def excess(self) -> float:
        """Mean probability less the share that came true: above 0, the probabilities promise too much."""
        return self._mean(self.probability - self.share)

    def to_dict(self) -> dict[str, Any]:
        """A form that JSON can hold: the bins that hold predictions."""
        edges = np.linspace(0, 1, len(self.counts) + 1).round(10).tolist()
        bins = [
            {
                "from": edges[place],
                "to": edges[place + 1],
                "count": int(self.counts[place]),
                "probability": float(self.probability[place]),
                "share": float(self.share[place]),
            }
            for place in np.flatnonzero(self.counts)
        ]
        found = {"of": self.of, "expected_calibration_error": self.error, "error_by_chance": self.by_chance}
        return {**found, "excess": self.excess, "bins": bins}

    def _mean(self, values: Floats) -> float:
        held = self.counts > 0
        return float((values[held] * self.counts[held]).sum() / self.counts.sum())


def has_probabilities(loss: Loss, target: Target) -> bool:
    """Whether a model trained with that loss says probabilities: margin losses give scores."""
    return target.task != "regression" and loss.name not in _SCORES_ONLY


class CalibrationSums:
    """What a ``Calibration`` is made of, added up batch by batch."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.counts, self.probability, self.hits = np.zeros((3, _BINS))

    def add(self, prediction: NDArray[Any], y: NDArray[Any]) -> None:
        """Count rows; those whose probabilities are not finite are left out.

        Args:
            prediction: probabilities (N, C).
            y: class indices (N,) or labels (N, C).
        """
        finite = np.isfinite(prediction).all(axis=1)
        prediction, y = prediction[finite], y[finite]
        if self.target.task == "binary":
            probability, hits = prediction[:, 1], y == 1
        elif self.target.task == "multiclass":
            probability, hits = prediction.max(axis=1), prediction.argmax(axis=1) == y
        else:
            probability, hits = prediction.ravel(), y.ravel() > 0
        bins = np.minimum((probability * _BINS).astype(np.int64), _BINS - 1)
        self.counts += np.bincount(bins, minlength=_BINS)
        self.probability += np.bincount(bins, probability, minlength=_BINS)
        self.hits += np.bincount(bins, hits, minlength=_BINS)

    def calibration(self) -> Calibration | None:
        """Of all rows counted; None where there are none."""
        if not self.counts.any():
            return None
        counts = np.where(self.counts > 0, self.counts, np.nan)
        names = {"binary": self.target.classes[1], "multiclass": "the predicted class", "multilabel": "labels"}
        return Calibration(
            of=names[self.target.task],
            counts=self.counts.astype(np.int64),
            probability=self.probability / counts,
            share=self.hits / counts,
        )
