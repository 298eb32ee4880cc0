"""Makes packages/core-ts/test-data/relevance/golden.json: agreement of raters, rank correlations and graded measures computed with scipy,
scikit-learn and NLTK, and from published worked examples.

Run: python tools/golden/relevance.py
"""

import json
from pathlib import Path

import nltk
import numpy as np
import scipy
import scipy.stats
import sklearn
from nltk.metrics.agreement import AnnotationTask
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, ndcg_score

OUT = Path(__file__).resolve().parents[2] / "packages/core-ts/test-data/relevance/golden.json"
rng = np.random.default_rng(17)


def alpha_cases():
    """NLTK's alpha with its own coincidence matrix; the interval distance is the squared difference."""
    cases = []
    for raters, units, missing in ((3, 12, 0.2), (4, 30, 0.4), (2, 8, 0.0)):
        values = rng.integers(0, 5, size=(units, raters)) * 25
        rated = rng.random((units, raters)) >= missing
        table = [[int(v) for v, ok in zip(row, keep) if ok] for row, keep in zip(values, rated)]
        data = [(f"r{j}", f"u{i}", int(values[i, j])) for i in range(units) for j in range(raters) if rated[i, j]]
        alpha = lambda distance: float(AnnotationTask(data=data, distance=distance).alpha())
        cases.append({"units": table, "nominal": alpha(lambda a, b: float(a != b)), "interval": alpha(lambda a, b: (a - b) ** 2)})
    return cases


def correlations():
    cases = []
    for n, levels in ((6, 3), (17, 5), (40, 100), (9, 2)):
        x = rng.integers(0, levels, n)
        y = (x + rng.integers(0, levels, n)) % (levels + 1)
        cases.append({
            "x": x.tolist(),
            "y": y.tolist(),
            "pearson": float(scipy.stats.pearsonr(x, y)[0]),
            "spearman": float(scipy.stats.spearmanr(x, y)[0]),
            "kendall": float(scipy.stats.kendalltau(x, y)[0]),
        })
    return cases


def graded_ap(grades, scores):
    """Its definition: AP with the items of a grade of at least t relevant, weighted by their number, over all t."""
    levels = np.unique(grades[grades > 0])
    below = np.concatenate([[0], levels[:-1]])
    top = bottom = 0.0
    for low, level in zip(below, levels):
        relevant = grades >= level
        top += (level - low) * relevant.sum() * average_precision_score(relevant, scores)
        bottom += (level - low) * relevant.sum()
    return top / bottom


def ap_cut(relevant, order, k):
    ranks = np.flatnonzero(relevant[order]) + 1
    return float(sum((i + 1) / r for i, r in enumerate(ranks) if r <= k) / len(ranks))


def graded():
    cases = []
    for items, judged in ((17, 17), (30, 12), (25, 25)):
        scores = rng.permutation(items) / 7
        grades = np.where(rng.random(items) < 0.4, rng.integers(1, 101, items), 0)
        grades[rng.integers(items)] = 90
        known = np.zeros(items, bool)
        known[rng.choice(items, judged, replace=False)] = True
        known[np.argmax(grades)] = True
        kept = np.where(known, grades, 0)
        order = np.argsort(-scores)
        cases.append({
            "scores": scores.tolist(),
            "grades": [int(g) if k else None for g, k in zip(grades, known)],
            "irrelevant": {
                "nDCG@5": float(ndcg_score([kept], [scores], k=5)),
                "nDCG-exp@5": float(ndcg_score([2 ** (kept / 100) - 1], [scores], k=5)),
                "gAP": graded_ap(kept, scores),
                "mAP": float(average_precision_score(kept >= 50, scores)),
                "mAP@16": ap_cut(kept >= 50, order, 16),
            },
            "left-out": {
                "nDCG@5": float(ndcg_score([kept[known]], [scores[known]], k=5)),
                "nDCG-exp@5": float(ndcg_score([2 ** (kept[known] / 100) - 1], [scores[known]], k=5)),
                "gAP": graded_ap(kept[known], scores[known]),
                "mAP": float(average_precision_score(kept[known] >= 50, scores[known])),
                "Spearman": float(scipy.stats.spearmanr(scores[known], kept[known])[0]),
                "Kendall": float(scipy.stats.kendalltau(scores[known], kept[known])[0]),
            },
        })
    return cases


def regressions():
    s = np.sort(rng.random(40)).round(2)
    y = np.clip(1 / (1 + np.exp(4 - 7 * s)) + rng.normal(0, 0.15, 40), 0, 1)
    sigmoid = lambda x, b0, b1: 1 / (1 + np.exp(-(b0 - b1 * (1 - x))))
    (b0, b1), _ = scipy.optimize.curve_fit(sigmoid, s, y, p0=(1, 5))
    at = [0.0, 0.33, 0.5, 0.77, 1.0]
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(s, y)
    return {
        "x": s.tolist(),
        "y": y.tolist(),
        "logistic": {"b0": float(b0), "b1": float(b1)},
        "at": at,
        "isotonic": isotonic.predict(at).tolist(),
    }


golden = {
    "versions": {m.__name__: m.__version__ for m in (np, scipy, sklearn, nltk)},
    "alpha": alpha_cases(),
    "correlation": correlations(),
    "graded": graded(),
    "regression": regressions(),
    # Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), D: four observers, twelve units, values 1 to 5.
    "krippendorff2011": {
        "units": [[1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4], [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3]],
        "nominal": 0.743,
        "ordinal": 0.815,
        "interval": 0.849,
    },
    # Shrout and Fleiss, "Intraclass correlations: uses in assessing rater reliability" (1979), tables 2 and 4.
    "shroutFleiss1979": {
        "rows": [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
        "icc1": 0.17, "icc2": 0.29, "icc3": 0.71, "icc1k": 0.44, "icc2k": 0.62, "icc3k": 0.91,
    },
}
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps(golden, indent=1) + "\n")
