"""Makes packages/core-ts/test-data/align/evaluation.json: measures of alignment by sed_scores_eval, sed_eval and scikit-learn; those of
moments, which no package has, from their definitions.

Run: SONOTEXT_DATA=... python tools/golden/alignment.py   (the folder is read for annotations/, of which only results are written)
"""

import json
import os
from pathlib import Path

import numpy as np
import sed_eval
import sklearn
from sed_scores_eval.base_modules.scores import create_score_dataframe
from sed_scores_eval.intersection_based import psds
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

OUT = Path(__file__).resolve().parents[2] / "packages/core-ts/test-data/align/evaluation.json"
rng = np.random.default_rng(20250701)


def detection_case(clips, classes, frames, step, levels):
    """Clips of smooth scores on a few levels (ties within and between clips), with events that they partly follow."""
    names = [f"class {c}" for c in range(classes)]
    case = {"classes": names, "frameStep": step, "clips": []}
    frames_of, truth, durations = {}, {}, {}
    for i in range(clips):
        n = int(frames + rng.integers(-5, 6))
        events = []
        scores = rng.normal(size=(n, classes))
        for c in range(classes):
            for _ in range(rng.integers(0, 3)):
                onset = rng.uniform(0, 0.8 * n * step)
                offset = min(n * step, onset + rng.uniform(2 * step, 0.4 * n * step))
                onset, offset = round(onset, 3), round(offset, 3)
                # Events of one class that overlap are one event to no one's mind: keep them apart.
                if any(label == names[c] and onset < b + step and a < offset + step for a, b, label in events):
                    continue
                events.append((onset, offset, names[c]))
                scores[int(onset / step) : int(offset / step) + 1, c] += 1.5
        kernel = np.ones(5) / 5
        scores = np.stack([np.convolve(scores[:, c], kernel, "same") for c in range(classes)], axis=1)
        scores = np.round(scores * levels) / levels
        scores = scores.astype(np.float32)
        key = f"clip {i}"
        frames_of[key] = create_score_dataframe(scores.astype(np.float64), np.round(np.arange(n + 1) * step, 9), names)
        truth[key] = events
        durations[key] = round(n * step, 6)
        case["clips"].append({
            "id": key, "duration": durations[key], "frames": n,
            "events": [{"label": label, "onset": onset, "offset": offset} for onset, offset, label in events],
            "scores": [[float(x) for x in scores[:, c]] for c in range(classes)],
        })
    for name, options in (
        ("psds1", dict(dtc_threshold=0.7, gtc_threshold=0.7, alpha_ct=0.0, alpha_st=1.0)),
        ("psds2", dict(dtc_threshold=0.1, gtc_threshold=0.1, cttc_threshold=0.3, alpha_ct=0.5, alpha_st=1.0)),
    ):
        # Short data sets: the usual 100 an hour would admit no false alarm at all.
        for most in (100.0, 4000.0):
            value, per_class, _, _ = psds(frames_of, truth, durations, max_efpr=most, **options)
            case[f"{name} up to {most:g}"] = {"value": float(value), "perClass": {k: float(v) for k, v in per_class.items()}}
    return case


def frame_case(clips, frames, step):
    """Two phrases over clips; scores in [0, 1] on a grid so that some meet thresholds exactly."""
    case = {"frameStep": step, "pairs": []}
    labels, scores, phrases = [], [], []
    for clip in range(clips):
        for phrase in ("a dog barks", "rain falls"):
            spans = []
            if rng.uniform() < 0.8:
                onset = round(float(rng.uniform(0, 0.6 * frames * step)), 3)
                spans.append([onset, round(onset + float(rng.uniform(0.1, 0.4 * frames * step)), 3)])
            label = np.zeros(frames, dtype=int)
            for onset, offset in spans:
                label[int(np.ceil(round(onset / step, 9))) : int(np.ceil(round(offset / step, 9)))] = 1
            score = np.clip(np.round(rng.normal(0.4, 0.2, frames) + 0.25 * label, 2), 0, 1)
            case["pairs"].append({"clip": f"clip {clip}", "phrase": phrase, "truth": spans, "scores": score.tolist()})
            labels.append(label)
            scores.append(score)
            phrases.append(phrase)
    y, s = np.concatenate(labels), np.concatenate(scores)
    case["sweep"] = []
    for i in range(1, 100):
        p, r, f, _ = precision_recall_fscore_support(y, (s >= i / 100).astype(int), average="binary", zero_division=1)
        case["sweep"].append([float(p), float(r), float(f)])
    case["auroc"] = {
        phrase: float(roc_auc_score(
            np.concatenate([l for l, p in zip(labels, phrases) if p == phrase]),
            np.concatenate([x for x, p in zip(scores, phrases) if p == phrase])))
        for phrase in ("a dog barks", "rain falls")
    }
    case["timing"] = [float(roc_auc_score(l, x)) if 0 < l.sum() < len(l) else None for l, x in zip(labels, scores)]
    return case


def event_lists(pairs, collar, share):
    metrics = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=sorted({e["event_label"] for pair in pairs for part in pair for e in part}),
        t_collar=collar, percentage_of_length=share, event_matching_type="optimal")
    for reference, estimated in pairs:
        metrics.evaluate(reference_event_list=to_container(reference),
                         estimated_event_list=to_container(estimated))
    overall = metrics.results_overall_metrics()
    by_class = metrics.results_class_wise_metrics()
    return {"f1": overall["f_measure"]["f_measure"], "precision": overall["f_measure"]["precision"],
            "recall": overall["f_measure"]["recall"],
            "perClass": {k: v["f_measure"]["f_measure"] for k, v in by_class.items() if v["count"]["Nref"] > 0 and v["count"]["Nsys"] > 0}}


def to_container(events):
    import dcase_util
    return dcase_util.containers.MetaDataContainer(
        [{"event_label": e["event_label"], "onset": e["onset"], "offset": e["offset"], "file": "a.wav"} for e in events])


def event_case():
    pairs, plain = [], []
    for _ in range(8):
        reference = [{"event_label": str(rng.choice(["x", "y"])), "onset": round(float(t), 3), "offset": round(float(t + d), 3)}
                     for t, d in zip(np.sort(rng.uniform(0, 9, 6)), rng.uniform(0.2, 1.5, 6))]
        estimated = [{"event_label": e["event_label"], "onset": round(max(0, e["onset"] + float(rng.normal(0, 0.2))), 3),
                      "offset": round(e["offset"] + 0.3 + float(rng.normal(0, 0.3)), 3)} for e in reference if rng.uniform() < 0.8]
        estimated = [e for e in estimated if e["offset"] > e["onset"]]
        estimated += [{"event_label": "x", "onset": 9.1, "offset": 9.6}] if rng.uniform() < 0.5 else []
        pairs.append((reference, estimated))
        plain.append({"reference": reference, "estimated": estimated})
    return {"lists": plain, "default": event_lists(pairs, 0.2, 0.5), "wide": event_lists(pairs, 0.5, 0.2)}


def read_list(path, columns):
    rows = [line.split("\t") for line in Path(path).read_text().splitlines() if line.strip()]
    return [{"onset": float(r[columns[0]]), "offset": float(r[columns[1]]), "event_label": r[columns[2]].strip()} for r in rows]


def annotations():
    data = Path(os.environ["SONOTEXT_DATA"]) / "annotations"
    office = (read_list(data / "sed_eval/office_snr0_high_v2.txt", (0, 1, 2)), read_list(data / "sed_eval/office_snr0_high_v2_detected.txt", (0, 1, 2)))
    street = (read_list(data / "sed_eval/street_fold1_reference.txt", (2, 3, 4)), read_list(data / "sed_eval/street_fold1_detected.txt", (1, 2, 3)))
    walk = (read_list(data / "sed_vis/a001.ann", (0, 1, 2)), read_list(data / "sed_vis/a001_system_output.ann", (1, 2, 3)))
    by_file = by_files(data / "sed_eval/street_fold1_reference.txt", data / "sed_eval/street_fold1_detected.txt")
    return {"office": event_lists([office], 0.2, 0.5), "street": event_lists(by_file, 0.2, 0.5), "a001": event_lists([walk], 0.2, 0.5),
            "counts": {"office": [len(p) for p in office], "street": [len(p) for p in street], "a001": [len(p) for p in walk]}}


def by_files(reference, estimated):
    def grouped(path, columns):
        out = {}
        for line in Path(path).read_text().splitlines():
            if line.strip():
                r = line.split("\t")
                out.setdefault(r[0], []).append({"onset": float(r[columns[0]]), "offset": float(r[columns[1]]), "event_label": r[columns[2]].strip()})
        return out
    a, b = grouped(reference, (2, 3, 4)), grouped(estimated, (1, 2, 3))
    return [(a.get(f, []), b.get(f, [])) for f in sorted(set(a) | set(b))]


def iou(a, b):
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / (max(a[1], b[1]) - min(a[0], b[0])) if shared > 0 else 0.0


def average_precision(found, truth, threshold):
    """found best first; every point of the curve, precision made non-increasing from the right, area by rectangles of recall."""
    taken, hit = set(), []
    for window in found:
        left = [(iou(window, t), -i) for i, t in enumerate(truth) if i not in taken and iou(window, t) >= threshold]
        hit.append(1 if left else 0)
        if left:
            taken.add(-max(left)[1])
    hits = np.cumsum(hit) if hit else np.zeros(0)
    recall = np.concatenate(([0.0], hits / len(truth), [1.0]))
    precision = np.concatenate(([0.0], hits / np.arange(1, len(hit) + 1), [0.0]))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum((recall[1:] - recall[:-1]) * precision[1:]))


def moments_case():
    queries = []
    for q in range(40):
        duration = 150.0
        truth = [[float(a), float(a) + float(d)] for a, d in zip(rng.choice(np.arange(0, 140, 10), rng.integers(1, 4), False), rng.choice([2, 4, 8], 3))]
        found = [[max(0.0, t[0] + float(rng.normal(0, 1))), t[1] + float(rng.uniform(0.1, 2)), float(rng.uniform())] for t in truth if rng.uniform() < 0.9]
        found = [w for w in found if w[1] > w[0]]
        found += [[float(a), float(a) + 3, float(rng.uniform())] for a in rng.uniform(0, 140, rng.integers(0, 14))]
        ranked = sorted(found, key=lambda w: -w[2])[:10]
        top = max((iou(ranked[0], t) for t in truth), default=0.0) if ranked else 0.0
        values = {f"mAP@{t:g}": average_precision(ranked, truth, t) for t in (0.5, 0.75)}
        values["mAP"] = float(np.mean([average_precision(ranked, truth, t / 100) for t in range(50, 100, 5)]))
        values |= {"R1@0.5": float(top >= 0.5), "R1@0.7": float(top >= 0.7), "mIoU": top}
        queries.append({"id": str(q), "recording": f"v{q % 11}", "duration": duration, "truth": truth, "found": found, "values": values})
    return {"queries": queries, "means": {k: float(np.mean([q["values"][k] for q in queries])) for k in queries[0]["values"]}}


def iou_case():
    """Seconds on a grid of milliseconds."""
    out = []
    for _ in range(20):
        sets = []
        for _ in range(2):
            starts = rng.integers(0, 9000, rng.integers(0, 5))
            sets.append([[int(a) / 1000, int(a + d) / 1000] for a, d in zip(starts, rng.integers(1, 3000, 5))])
        grid = [np.zeros(12000, bool), np.zeros(12000, bool)]
        for g, spans in zip(grid, sets):
            for a, b in spans:
                g[round(a * 1000) : round(b * 1000)] = True
        union = int((grid[0] | grid[1]).sum())
        out.append({"found": sets[0], "truth": sets[1], "iou": 1.0 if union == 0 else int((grid[0] & grid[1]).sum()) / union})
    return out


OUT.parent.mkdir(parents=True, exist_ok=True)
versions = {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "sed_eval": sed_eval.__version__, "sed_scores_eval": "0.0.4"}
OUT.write_text(json.dumps({
    "made by": "tools/golden/alignment.py", "versions": versions,
    "detection": [detection_case(8, 3, 60, 0.02, 8), detection_case(5, 2, 40, 0.05, 1000)],
    "frames": frame_case(6, 100, 0.02), "events": event_case(), "annotations": annotations(),
    "moments": moments_case(), "iou": iou_case(),
}) + "\n")
print(OUT, OUT.stat().st_size)
