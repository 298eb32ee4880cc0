"""Makes packages/core-ts/test-data/negatives/: golden.json, negatives of small batches, and neighbours.json, likeness of captions; with numpy,
from the definitions.

Run: python tools/golden/negatives.py
"""

import json
import math
from pathlib import Path

import numpy as np

OUT = Path(__file__).resolve().parents[2] / "packages/core-ts/test-data/negatives"
rng = np.random.default_rng(20261127)


def batch(n, groups):
    """Scores of n pairs, clips x captions, as a model in training has them: the own pair a little ahead. float32."""
    scores = rng.uniform(-0.2, 0.8, (n, n)) + 0.2 * np.eye(n)
    return np.float32(np.round(scores, 4)), np.array([rng.integers(groups) for _ in range(n)])


def facenet(row, i, free):
    """Schroff et al. 2015: the hardest of those below the positive; else the easiest."""
    below = [j for j in free if row[j] < row[i]]
    if below:
        return int(max(below, key=lambda j: (row[j], -j)))
    return int(min(free, key=lambda j: (row[j], j)))


def semi_hard(row, i, free):
    """Xie et al. 2023: the score closest to the positive, on either side."""
    return int(min(free, key=lambda j: (abs(np.float32(row[j]) - np.float32(row[i])), j)))


def hard(row, free):
    return int(max(free, key=lambda j: (row[j], -j)))


def band(row, free, low, high):
    """Candidates by rising score (stable), those with low*m <= rank < high*m, at least one."""
    order = np.array(free)[np.argsort(row[free], kind="stable")]
    m = len(order)
    ranks = np.arange(m)
    inside = order[(ranks >= low * m) & (ranks < high * m)]
    if len(inside) == 0:
        inside = order[[min(m - 1, int(np.ceil(low * m)))]]
    return sorted(int(j) for j in inside)


def distance_weights(row, free, n, cutoff):
    """Wu et al. 2017: probabilities 1 / q(d), q(d) = d^(n-2) (1 - d^2/4)^((n-3)/2)."""
    d = np.sqrt(np.maximum(0, 2 - 2 * row[free].astype(np.float64)))
    d = np.clip(d, cutoff, np.sqrt(2))
    weights = d ** -(n - 2.0) * (1 - d**2 / 4) ** (-(n - 3.0) / 2)
    return [float(w) for w in weights / weights.sum()]


cases = []
for n, groups in ((2, 40), (5, 3), (9, 40), (16, 5)):
    scores, group = batch(n, groups)
    case = {"n": n, "groups": group.tolist(), "scores": [float(s) for s in scores.ravel()], "anchors": []}
    for i in range(n):
        free = [j for j in range(n) if group[j] != group[i]]
        sides = {}
        for side, row in (("audio", scores[:, i]), ("text", scores[i])):
            sides[side] = None if not free else {
                "free": free,
                "facenet": facenet(row, i, free),
                "semi": semi_hard(row, i, free),
                "hard": hard(row, free),
                "band": band(row, free, 0.5, 0.9),
                "narrow": band(row, free, 0.2, 0.3),
                "distance": distance_weights(row, free, 32, 0.5),
            }
        case["anchors"].append(sides)
    cases.append(case)

CAPTIONS = """a dog barks twice; a dog barks while rain falls; rain falls on a roof; heavy rain falls; a bell rings; a church bell rings twice
an engine starts; an engine idles and a dog barks; a bird sings; birds sing in a tree; a tree falls; someone knocks on a door
a door closes; someone closes a window; wind blows; the wind blows in a tree""".replace("\n", "; ").split("; ")


def cosines(captions):
    """Of word vectors: how often, times log((1 + captions) / captions with the word)."""
    words = [caption.split() for caption in captions]
    vocabulary = sorted({word for own in words for word in own})
    having = {word: sum(word in own for own in words) for word in vocabulary}
    vectors = np.array([[own.count(w) * math.log((1 + len(captions)) / having[w]) for w in vocabulary] for own in words])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors @ vectors.T).tolist()


OUT.mkdir(parents=True, exist_ok=True)
golden = {"numpy": np.__version__, "dimensions": 32, "cutoff": 0.5, "cases": cases}
(OUT / "golden.json").write_text(json.dumps(golden) + "\n")
neighbours = {"numpy": np.__version__, "captions": CAPTIONS, "cosines": cosines(CAPTIONS)}
(OUT / "neighbours.json").write_text(json.dumps(neighbours) + "\n")
