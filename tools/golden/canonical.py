"""Golden maps for the canonical start: 40 clips of 5 numbers with two captions of 4 numbers each, and what correlates between them.

    python tools/golden/canonical.py

By NumPy alone in float64, another way than the library's: symmetric inverse square roots by eigenvalues and a full SVD, no Cholesky factors, no
random projection. Directions have no sign of their own, so that what is kept is the products of both sides, [captions' numbers × clips' numbers].
Writes packages/core-ts/test-data/models/canonical.json.
"""

import json
from pathlib import Path

import numpy as np

OUT = Path(__file__).resolve().parents[2] / 'packages/core-ts/test-data/models/canonical.json'
RANK, RIDGE, TEXT_RIDGE, POWER = 3, 0.3, 0.02, 2

rng = np.random.default_rng(5)
audio = rng.normal(size=(40, 5)) * [1, 10, 0.1, 3, 1] + 2
clip_of = np.repeat(np.arange(40), 2)
text = rng.normal(size=(80, 4)) + audio[clip_of] @ rng.normal(size=(5, 4)) * [1, 0.3, 0.1, 0.5]
audio, text = audio.astype(np.float32), text.astype(np.float32)

x = audio.astype(float)
means, scales = x.mean(0), x.std(0)
x = ((x - means) / scales)[clip_of]
z = text.astype(float) - text.astype(float).mean(0)


def covariance(a, ridge):
    c = a.T @ a / len(a)
    return c + ridge * np.trace(c) / len(c) * np.eye(len(c))


def inverse_root(c):
    values, vectors = np.linalg.eigh(c)
    return vectors @ np.diag(values**-0.5) @ vectors.T


of_audio, of_text = covariance(x, RIDGE), covariance(z, TEXT_RIDGE)
cross = x.T @ z / len(x)
u, s, vt = np.linalg.svd(inverse_root(of_audio) @ cross @ inverse_root(of_text))
weights = np.diag(s[:RANK] ** POWER / np.linalg.norm(s[:RANK] ** POWER))
wa = weights @ u[:, :RANK].T @ inverse_root(of_audio)
wt = weights @ vt[:RANK] @ inverse_root(of_text)
regression = cross.T @ np.linalg.inv(of_audio)
regression /= np.sqrt(np.trace(regression @ of_audio @ regression.T))

golden = {
    'about': f'tools/golden/canonical.py, NumPy {np.__version__}',
    'options': {'rank': RANK, 'ridge': RIDGE, 'textRidge': TEXT_RIDGE, 'power': POWER},
    'audio': audio.ravel().tolist(),
    'text': text.ravel().tolist(),
    'clipOf': clip_of.tolist(),
    'means': means.tolist(),
    'scales': scales.tolist(),
    'product': (wt.T @ wa).ravel().tolist(),
    'regression': regression.ravel().tolist(),
}
OUT.parent.mkdir(exist_ok=True)
OUT.write_text(json.dumps(golden, indent=1) + '\n')
