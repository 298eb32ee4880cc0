"""Makes packages/core-ts/test-data/metrics/golden.json: retrieval measures computed with numpy and scikit-learn.

Run: python tools/golden/metrics.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score, ndcg_score

OUT = Path(__file__).resolve().parents[2] / "packages/core-ts/test-data/metrics/golden.json"


def ordered(scores):
    """Score descending, ties to the lower index."""
    return np.argsort(-scores, kind="stable")


def direction(scores, relevant):
    """scores [queries x items], relevant bool of the same shape; plain loops from the definitions."""
    out = {}
    ranks = [np.flatnonzero(relevant[q][ordered(scores[q])]) + 1 for q in range(len(scores))]
    for k in (1, 2, 5, 10):
        out[f"R@{k}"] = [float(np.sum(r <= k) / len(r)) for r in ranks]
        out[f"HR@{k}"] = [float(np.any(r <= k)) for r in ranks]
    ap = lambda r, k: float(np.sum([(i + 1) / n for i, n in enumerate(r) if n <= k]) / len(r))
    out["mAP@10"] = [ap(r, 10) for r in ranks]
    out["mAP"] = [ap(r, 10**9) for r in ranks]
    out["MRR"] = [float(1 / r[0]) for r in ranks]
    out["medR"] = [float(r[0]) for r in ranks]
    return out


def interval(values):
    values = np.asarray(values)
    n = len(values)
    leave_one_out = np.array([np.delete(values, i).mean() for i in range(n)])
    error = np.sqrt((n - 1) / n * np.sum((leave_one_out - leave_one_out.mean()) ** 2))
    return [values.mean() - 1.959963984540054 * error, values.mean() + 1.959963984540054 * error]


rng = np.random.default_rng(20240607)
clips, per_clip = 24, 5
caption_clip = rng.permutation(np.repeat(np.arange(clips), per_clip))
cases = {}
for name in ("continuous", "ties"):
    scores = rng.normal(size=(clips, clips * per_clip)) + 1.2 * (np.arange(clips)[:, None] == caption_clip[None, :])
    scores = np.round(scores * 3) / 4 if name == "ties" else scores
    scores = scores.astype(np.float32)
    relevant = np.arange(clips)[:, None] == caption_clip[None, :]
    to_audio = direction(scores.T, relevant.T)
    to_text = direction(scores, relevant)
    if name == "continuous":  # scikit-learn averages over ties, so it is an oracle only where there are none
        sk = [average_precision_score(relevant[i], scores[i].astype(np.float64)) for i in range(clips)]
        assert np.allclose(sk, to_text["mAP"], atol=1e-12)
        assert np.isclose(label_ranking_average_precision_score(relevant.T, scores.T.astype(np.float64)), np.mean(to_audio["mAP"]))
    cases[name] = {
        "scores": [float(x) for x in scores.ravel()],
        "captionClip": caption_clip.tolist(),
        "textToAudio": {k: float(np.median(v) if k == "medR" else np.mean(v)) for k, v in to_audio.items()},
        "audioToText": {k: float(np.median(v) if k == "medR" else np.mean(v)) for k, v in to_text.items()},
        "intervals": {"textToAudio": {k: interval(to_audio[k]) for k in ("R@1", "mAP@10")},
                      "audioToText": {k: interval(to_text[k]) for k in ("R@5", "mAP")}},
    }

graded_scores = rng.normal(size=(15, 17))
grades = rng.integers(0, 101, size=(15, 17)) * (rng.uniform(size=(15, 17)) < 0.6)
cases["graded"] = {
    "scores": graded_scores.tolist(),
    "grades": grades.tolist(),
    "nDCG": [float(ndcg_score(grades[i : i + 1], graded_scores[i : i + 1])) for i in range(15)],
    "nDCG@5": [float(ndcg_score(grades[i : i + 1], graded_scores[i : i + 1], k=5)) for i in range(15)],
}

OUT.parent.mkdir(parents=True, exist_ok=True)
versions = {"numpy": np.__version__, "scikit-learn": sklearn.__version__}
OUT.write_text(json.dumps({"made by": "tools/golden/metrics.py", "versions": versions, **cases}) + "\n")
print(OUT, OUT.stat().st_size)
