"""The SVM solver against the library that it stands in for."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse as sp
from sklearn.svm import LinearSVC

from occode.training.svm import fit_one

CHANCE = np.random.default_rng(5)
ROWS = sp.random(400, 150, density=0.08, format="csr", dtype=np.float32, random_state=5)
TRUTH = (ROWS @ CHANCE.normal(size=150) + 0.1 * CHANCE.normal(size=400)) > 0.05
WEIGHTS = CHANCE.choice([0.5, 1.0, 3.0], 400)


def _fit() -> tuple[np.ndarray, float]:
    return fit_one(ROWS.indptr, ROWS.indices, ROWS.data, 150, TRUTH, 2.0 * WEIGHTS, tolerance=1e-4, most_rounds=5000)


def test_the_solution_is_liblinears() -> None:
    """Same weights and intercept, with a weight for every row."""
    weights, intercept = _fit()
    library = LinearSVC(C=2.0, tol=1e-6, max_iter=20_000, random_state=0).fit(ROWS.astype(np.float64), TRUTH, sample_weight=WEIGHTS)
    np.testing.assert_allclose(weights, library.coef_[0], atol=2e-3)
    np.testing.assert_allclose(intercept, library.intercept_[0], atol=2e-3)


def test_fits_at_the_same_time_do_not_disturb_each_other() -> None:
    """To the last bit."""
    alone = _fit()
    with ThreadPoolExecutor(4) as pool:
        for weights, intercept in pool.map(lambda _: _fit(), range(12)):
            assert intercept == alone[1]
            assert (weights == alone[0]).all()
