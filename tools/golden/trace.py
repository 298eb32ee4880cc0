"""Golden of ten training steps of the thesis CRNN against frozen words: the loss of every step and what the weights became.

    python tools/golden/trace.py     (needs torch, numpy)

writes packages/core-ts/test-data/crnn/trace.json. Two losses: `triplet` (STSQ scores over true lengths, every pair of another
clip a negative, margin 0.5) and `infoNce` (mean of the frames and mean of the words over true lengths, L2-normalised, temperature
0.07, pairs of the same clip left out, both directions summed). Computed in float64 and in float32.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import crnn_model as cm

OUT = Path(__file__).resolve().parents[2] / "packages/core-ts/test-data/crnn"
N, T, W, E, STEPS = 4, 16, 6, 2 * cm.HIDDEN, 10
MARGIN, TEMPERATURE = 0.5, 0.07
ADAM = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weightDecay": 0.0}
FRAME_LENGTHS = [16, 13, 16, 9]
WORD_LENGTHS = [3, 6, 5, 4]
GROUPS = [[0, 1, 2, 3], [0, 1, 0, 2]]  # two batches, taken in turn


def batch(step, dtype):
    turn = step % 2
    x = (4 * cm.lcg(1000 + turn, [N, T, cm.BANDS])).astype(np.float32)
    words = cm.lcg(2000 + turn, [N, W, E])
    words = words / np.linalg.norm(words, axis=-1, keepdims=True)
    for i in range(N):
        x[i, FRAME_LENGTHS[i] :] = 0
        words[i, WORD_LENGTHS[i] :] = 0
    return torch.from_numpy(x).to(dtype), torch.from_numpy(words.astype(np.float32)).to(dtype), GROUPS[turn]


def triplet(frames, words, groups):
    scores = torch.stack(
        [
            torch.stack(
                [
                    torch.relu(frames[i, : FRAME_LENGTHS[i]] @ words[j, : WORD_LENGTHS[j]].T).mean()
                    for j in range(N)
                ]
            )
            for i in range(N)
        ]
    )
    loss = 0
    for i in range(N):
        negatives = [j for j in range(N) if groups[j] != groups[i]]
        positive = scores[i, i]
        loss = loss + torch.relu(scores[negatives, i] - positive + MARGIN).mean()
        loss = loss + torch.relu(scores[i, negatives] - positive + MARGIN).mean()
    return loss / N


def info_nce(frames, words, groups):
    audio = torch.stack([frames[i, : FRAME_LENGTHS[i]].mean(0) for i in range(N)])
    text = torch.stack([words[i, : WORD_LENGTHS[i]].mean(0) for i in range(N)])
    scores = F.normalize(audio, dim=-1) @ F.normalize(text, dim=-1).T / TEMPERATURE
    same = torch.tensor([[groups[i] == groups[j] and i != j for j in range(N)] for i in range(N)])
    scores = scores.masked_fill(same, -torch.inf)
    target = torch.arange(N)
    return F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)


def train(criterion, dtype):
    model = cm.build(dtype).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=ADAM["lr"], betas=(ADAM["beta1"], ADAM["beta2"]), eps=ADAM["eps"])
    losses = []
    for step in range(STEPS):
        x, words, groups = batch(step, dtype)
        optimizer.zero_grad()
        loss = criterion(model(x), words, groups)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    final = {name: access[0]().numpy() for name, access in model.named().items()}
    for name, values in model.buffers_named().items():
        final[name] = values.numpy()
    return losses, final


def main():
    runs = {}
    for name, criterion in [("triplet", triplet), ("infoNce", info_nce)]:
        losses, final = train(criterion, torch.float64)
        losses32, final32 = train(criterion, torch.float32)
        start = cm.build(torch.float64)
        initial = {k: access[0]().numpy() for k, access in start.named().items()}
        for k, v in start.buffers_named().items():
            initial[k] = v.numpy()
        runs[name] = {
            "losses": losses,
            "losses32": losses32,
            "final": {k: cm.digest(v) for k, v in final.items()},
            # Error of single precision, relative to how far the ten steps moved the tensor.
            "float32Error": {
                k: float(np.linalg.norm(final32[k] - v) / np.linalg.norm(v - initial[k])) for k, v in final.items()
            },
            "moved": {k: float(np.linalg.norm(v - initial[k])) for k, v in final.items()},
        }
        print(name, losses, "\nloss error in float32", np.abs(np.array(losses32) - losses).max())
        print({k: f"{v:.1e}" for k, v in runs[name]["float32Error"].items()})
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "trace.json").write_text(
        json.dumps(
            {
                "made": {
                    "by": "tools/golden/trace.py",
                    "torch": torch.__version__,
                    "numpy": np.__version__,
                    "python": platform.python_version(),
                    "precision": "float64; losses32 in float32",
                },
                "weights": "the parameters of crnn.json; running mean 0, running variance 1; dropout 0",
                "batch": N,
                "frames": T,
                "bands": cm.BANDS,
                "words": W,
                "dim": E,
                "frameLengths": FRAME_LENGTHS,
                "wordLengths": WORD_LENGTHS,
                "groups": GROUPS,
                "inputFormula": "step s, b = s mod 2: float32(4 * lcg(1000 + b)), shape [batch, frames, bands], 0 past frameLengths",
                "wordsFormula": "lcg(2000 + b), shape [batch, words, dim], every vector divided by its norm in float64,"
                " then float32, 0 past wordLengths; groups[b]",
                "margin": MARGIN,
                "temperature": TEMPERATURE,
                "adam": ADAM,
                "digestFormula": "norm: Euclidean; probes[k]: inner product of the row-major values with lcg(probeSeed + k)",
                "probeSeed": cm.probe_seed(0),
                "runs": runs,
            },
            indent=2,
        )
        + "\n"
    )


main()
