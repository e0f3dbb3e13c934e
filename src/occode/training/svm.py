"""A linear SVM: squared hinge loss, L2 penalty, solved by dual coordinate descent (Hsieh et al. 2008), compiled.

The algorithm is liblinear's default; a test holds the two to the same solution. It is here because liblinear draws its
random numbers from one state a process: two fits at once in threads would disturb each other, and models would differ from
run to run.
"""

import numba
import numpy as np
from numpy.typing import NDArray

_13, _7, _17 = np.uint64(13), np.uint64(7), np.uint64(17)


@numba.njit(cache=True, nogil=True)
def solve(  # type: ignore[no-untyped-def]  # compiled: types are numba's
    starts, columns, values, truth, cost, weights, tolerance, most_rounds, seed
):
    """Find the weights of one SVM.

    Parameters
    ----------
    starts, columns, values
        The rows, as a CSR matrix of n rows and m columns.
    truth : bool (n,)
        Which rows are of the class.
    cost : float64 (n,)
        The penalty of each row: C times its weight.
    weights : float64 (m + 1,)
        Zeros; the solution is written here, the last of them the intercept, which is penalised like the others.
    tolerance
        The largest violation of optimality at which to stop.
    most_rounds
        Passes over the rows at most.
    seed : uint64
        Decides the order in which rows are visited; not zero.
    """
    n, m = len(starts) - 1, len(weights) - 1
    alpha = np.zeros(n)
    curvature = np.empty(n)
    for i in range(n):
        total = 1.0 + 0.5 / cost[i]
        for k in range(starts[i], starts[i + 1]):
            total += values[k] * values[k]
        curvature[i] = total
    order = np.arange(n)
    active = n
    upper = np.inf
    state = seed
    for _ in range(most_rounds):
        for i in range(active):
            state ^= state << _13
            state ^= state >> _7
            state ^= state << _17
            j = i + np.int64(state % np.uint64(active - i))
            order[i], order[j] = order[j], order[i]
        highest, lowest = -np.inf, np.inf
        place = 0
        while place < active:
            i = order[place]
            sign = 1.0 if truth[i] else -1.0
            score = weights[m]
            for k in range(starts[i], starts[i + 1]):
                score += weights[columns[k]] * values[k]
            gradient = sign * score - 1.0 + 0.5 * alpha[i] / cost[i]
            projected = gradient
            if alpha[i] == 0.0:
                if gradient > upper:  # well beyond its margin: left out until the others are settled
                    active -= 1
                    order[place], order[active] = order[active], order[place]
                    continue
                projected = min(gradient, 0.0)
            highest, lowest = max(highest, projected), min(lowest, projected)
            if abs(projected) > 1e-12:
                old = alpha[i]
                alpha[i] = max(old - gradient / curvature[i], 0.0)
                step = (alpha[i] - old) * sign
                for k in range(starts[i], starts[i + 1]):
                    weights[columns[k]] += step * values[k]
                weights[m] += step
            place += 1
        if highest - lowest <= tolerance:
            if active == n:
                break
            active, upper = n, np.inf
            continue
        upper = highest if highest > 0 else np.inf


def fit_one(
    starts: NDArray[np.int32], columns: NDArray[np.int32], values: NDArray[np.float32], width: int,
    truth: NDArray[np.bool_], cost: NDArray[np.float64], *, tolerance: float = 0.3, most_rounds: int = 300,
) -> tuple[NDArray[np.float32], float]:  # fmt: skip
    """Return the weights, of shape (width,), and the intercept of one SVM; the same input gives the same bytes."""
    found = np.zeros(width + 1)
    solve(starts, columns, values, truth, cost, found, tolerance, most_rounds, np.uint64(88172645463325252))
    return found[:-1].astype(np.float32), float(found[-1])
