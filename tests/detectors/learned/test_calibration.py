"""Calibration: probabilities that mean what they say."""

import numpy as np
import pytest

from detectors.learned.calibration import EXTRAPOLATION, calibrate


def test_a_higher_score_is_never_more_ordinary() -> None:
    rng = np.random.default_rng(0)
    calibration = calibrate(np.round(rng.gamma(3.0, 0.05, 400), 2))
    probability = calibration.probability(np.linspace(-0.5, 2.0, 4001))
    assert (np.diff(probability) <= 0.0).all()
    assert probability.min() == pytest.approx(1.0 / (EXTRAPOLATION * 400))
    assert probability.max() < 1.0


@pytest.mark.parametrize("n", [250, 1000])
@pytest.mark.parametrize("rate", [0.5, 0.1, 0.01, 0.001])
def test_ordinary_scores_reach_a_probability_about_that_often(n: int, rate: float) -> None:
    rng = np.random.default_rng(n)
    reached = [
        float((calibrate(rng.beta(6.0, 9.0, n)).probability(rng.beta(6.0, 9.0, 20_000)) <= rate).mean())
        for _ in range(40)
    ]
    assert float(np.mean(reached)) == pytest.approx(rate, rel={0.001: 0.7, 0.01: 0.4}.get(rate, 0.15))


def test_the_threshold_keeps_its_side_when_scores_are_equal() -> None:
    calibration = calibrate(np.full(50, 0.4))
    assert calibration.probability([0.39, 0.4, 0.5]) == pytest.approx([0.995, 0.5, 1.0 / 200], abs=0.01)


def test_an_unknown_score_stays_unknown() -> None:
    assert np.isnan(calibrate(np.linspace(0.0, 1.0, 30)).probability([np.nan])).all()
