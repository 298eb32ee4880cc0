"""Makes packages/core-ts/test-data/metrics/significance.json: intervals and tests over clusters by scipy and statsmodels.

Run: python tools/golden/significance.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

OUT = Path(__file__).resolve().parents[2] / "packages/core-ts/test-data/metrics/significance.json"
rng = np.random.default_rng(20250301)


def clustered(clusters, sizes, effect):
    """1 / rank values in [0, 1] with a common effect in each cluster, in mixed order."""
    of = np.repeat(np.arange(clusters), sizes)
    latent = effect * rng.normal(size=clusters)[of] + rng.normal(size=len(of))
    ranks = np.ceil(np.exp(1.2 + latent))
    order = rng.permutation(len(of))
    return ranks[order], of[order]


def leave_one_out(values, of):
    """Mean and jackknife variance, by deleting each cluster in turn."""
    names = np.unique(of)
    without = np.array([values[of != name].mean() for name in names])
    g = len(names)
    return values.mean(), (g - 1) / g * np.sum((without - values.mean()) ** 2), g


def correlated(values, of):
    """Variance of the mean when any two queries of a cluster correlate alike, from all pairs, and Satterthwaite's degrees of freedom."""
    names, size = np.unique(of, return_counts=True)
    off = values - values.mean()
    pairs = [np.outer(off[of == name], off[of == name])[~np.eye(m, dtype=bool)].mean() for name, m in zip(names, size) if m > 1]
    rho = np.mean(pairs) / off.var() if pairs and off.var() > 0 else 0.0
    same = of[:, None] == of[None, :]
    covariance = off.var() * np.where(np.eye(len(of), dtype=bool), 1.0, same * rho)
    parts = size * (1 + (size - 1) * np.clip(rho, 0, 1))
    g = len(names)
    return covariance.mean() * g / (g - 1), max(1, round(parts.sum() ** 2 / (parts**2).sum()) - 1)


def wilson(values, of):
    """statsmodels' Wilson interval at the effective sample size, its normal quantile replaced by Student's."""
    p, variance, g = leave_one_out(values, of)
    other, degrees = correlated(values, of)
    size = p * (1 - p) / max(variance, other) if variance > 1e-24 else g
    alpha = 2 * stats.norm.sf(stats.t.ppf(0.975, degrees))
    return [float(x) for x in proportion_confint(size * p, size, alpha=alpha, method="wilson")]


def robust(values, of):
    """Cluster-robust interval of a regression on a constant: equals the jackknife where clusters are equally large."""
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": of}, use_t=True)
    return [float(x) for x in fit.conf_int(0.05)[0]]


def median_interval(values, of):
    """Every value that the share of values up to it does not exclude as the median."""
    kept = [x for x in np.unique(values)
            if wilson((values <= x).astype(float), of)[1] >= 0.5 and wilson((values < x).astype(float), of)[0] <= 0.5]
    return [float(min(kept)), float(max(kept))]


cases = {}
for name, sizes, effect in (("equal", 4, 0.8), ("unequal", rng.integers(1, 7, 18), 1.2), ("alone", 1, 0.0)):
    ranks, of = clustered(18, sizes, effect)
    reciprocal = 1 / ranks
    hit = (ranks <= 3).astype(float)
    case = {"clusters": of.tolist(), "ranks": ranks.tolist(),
            "reciprocal": wilson(reciprocal, of), "hit": wilson(hit, of), "median": median_interval(ranks, of)}
    p, variance, g = leave_one_out(ranks, of)
    half = stats.t.ppf(0.975, g - 1) * np.sqrt(variance)
    case["meanRank"] = [float(p - half), float(p + half)]
    if name != "unequal":
        assert np.allclose(robust(ranks, of), case["meanRank"], atol=1e-10)
    cases[name] = case

# One value a cluster, so that scipy's bootstrap of single values is the one over clusters.
values = 1 / np.array(cases["alone"]["ranks"])
bca = stats.bootstrap((values,), np.mean, n_resamples=200_000, method="BCa", rng=rng).confidence_interval
b = np.clip(values + rng.normal(0.06, 0.25, len(values)), 0, 1)
paired = stats.bootstrap((values, b), lambda x, y, axis: x.mean(axis) - y.mean(axis), paired=True,
                         n_resamples=200_000, method="BCa", rng=rng).confidence_interval
cases["bootstrap"] = {"a": values.tolist(), "b": b.tolist(), "mean": list(bca), "difference": list(paired)}

# Exact sign flips over the sums of 12 clusters of 3.
a = rng.uniform(size=(12, 3))
c = np.clip(a + rng.normal(0.07, 0.1, (12, 1)) + rng.normal(0, 0.1, (12, 3)), 0, 1)
exact = stats.permutation_test(((a - c).sum(1),), np.sum, permutation_type="samples", n_resamples=np.inf)
cases["randomization"] = {"a": a.ravel().tolist(), "b": c.ravel().tolist(), "clusters": np.repeat(np.arange(12), 3).tolist(),
                          "difference": float((a - c).mean()), "p": float(exact.pvalue)}

p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04]
cases["holm"] = {"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()}
degrees = [1, 2, 3, 4, 5, 10, 29, 30, 100, 199, 200, 201, 500, 1044, 10000]
cases["student"] = {"degrees": degrees, "t": stats.t.ppf(0.975, degrees).tolist()}
x = [-7, -4, -1.5, -0.1, 0, 0.3, 1.96, 3, 6]
cases["normal"] = {"x": x, "cdf": stats.norm.cdf(x).tolist()}

versions = {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__}
OUT.write_text(json.dumps({"made by": "tools/golden/significance.py", "versions": versions, **cases}) + "\n")
print(OUT, OUT.stat().st_size, bca, paired, exact.pvalue)
