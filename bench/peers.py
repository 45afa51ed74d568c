"""What Assay is measured against, and the data for it.

peers.py predictions ROWS CLASSES FOLDER      make out-of-sample predictions (float32) and given labels (int64), 10 % wrong
peers.py features ROWS DIMS FOLDER            make features (float32) and given labels, 10 % wrong
peers.py spectrum ROWS DIMS FOLDER            make features whose variances fall as 1, 1/2, 1/3, ..., in classes that lie apart, and given labels
peers.py parquet ROWS DIMS FILE               the same as Parquet: id, label, embedding as a list of float32
peers.py find-issues FOLDER OUT [JOBS]        cleanlab.filter.find_label_issues, .npy in, flags on disk
peers.py call FOLDER                          the library call alone, timed five times
peers.py datalab FOLDER OUT                   Datalab's label check from features
peers.py neighbours FOLDER K OUT              scikit-learn's brute-force nearest neighbours, distances on disk
peers.py compare OURS THEIRS                  largest relative difference of distances: raw float64 against .npy
"""

import json
import sys
import time
from pathlib import Path

import numpy as np


def given_labels(true, classes, rng):
    given = true.copy()
    wrong = rng.random(len(true)) < 0.1
    given[wrong] = (true[wrong] + rng.integers(1, classes, wrong.sum())) % classes
    return given.astype(np.int64)


def make_predictions(rows, classes, folder):
    rng = np.random.default_rng(1)
    true = rng.integers(0, classes, rows)
    logits = rng.normal(size=(rows, classes)).astype(np.float32)
    logits[np.arange(rows), true] += rng.gamma(4, 1, rows).astype(np.float32)
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    np.save(folder / "predictions.npy", p)
    np.save(folder / "labels.npy", given_labels(true, classes, rng))


def feature_block(rows, dims, centres, rng):
    true = rng.integers(0, len(centres), rows)
    return true, centres[true] + rng.normal(size=(rows, dims)).astype(np.float32)


def make_features(rows, dims, folder, classes=10):
    rng = np.random.default_rng(1)
    centres = (rng.normal(size=(classes, dims)) * 3 / np.sqrt(dims)).astype(np.float32)
    true, x = feature_block(rows, dims, centres, rng)
    np.save(folder / "features.npy", x)
    np.save(folder / "labels.npy", given_labels(true, classes, rng))


def make_spectrum(rows, dims, folder, classes=10):
    rng = np.random.default_rng(1)
    centres = (rng.normal(size=(classes, dims)) * 3).astype(np.float32)
    true, x = feature_block(rows, dims, centres, rng)
    np.save(folder / "features.npy", (x / np.sqrt(1 + np.arange(dims))).astype(np.float32))
    np.save(folder / "labels.npy", given_labels(true, classes, rng))


def make_parquet(rows, dims, path, classes=10, block=50_000):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    centres = (rng.normal(size=(classes, dims)) * 3 / np.sqrt(dims)).astype(np.float32)
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("embedding", pa.list_(pa.float32()))])
    with pq.ParquetWriter(path, schema, use_dictionary=["label"], compression="snappy") as writer:
        for start in range(0, rows, block):
            n = min(block, rows - start)
            true, x = feature_block(n, dims, centres, rng)
            labels = given_labels(true, classes, rng)
            embedding = pa.ListArray.from_arrays(pa.array(np.arange(0, (n + 1) * dims, dims, dtype=np.int32)), pa.array(x.ravel()))
            ids = pa.array([f"r{i}" for i in range(start, start + n)])
            writer.write_table(pa.table([ids, pa.array([f"class-{v}" for v in labels]), embedding], schema=schema))


def find_issues(folder, out, jobs=None):
    from cleanlab.filter import find_label_issues

    flags = find_label_issues(
        labels=np.load(folder / "labels.npy"), pred_probs=np.load(folder / "predictions.npy"), n_jobs=int(jobs) if jobs else None
    )
    np.save(out, flags)


def library_call(folder):
    from cleanlab.filter import find_label_issues

    labels, p = np.load(folder / "labels.npy"), np.load(folder / "predictions.npy")
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        find_label_issues(labels=labels, pred_probs=p)
        seconds.append(time.perf_counter() - start)
    print(json.dumps(seconds))


def datalab(folder, out):
    from cleanlab import Datalab

    lab = Datalab(data={"label": np.load(folder / "labels.npy")}, label_name="label", verbosity=0)
    lab.find_issues(features=np.load(folder / "features.npy"), issue_types={"label": {}})
    np.save(out, lab.get_issues("label")["is_label_issue"].to_numpy())


def neighbours(folder, k, out):
    from sklearn.neighbors import NearestNeighbors

    x = np.load(folder / "features.npy")
    # Without rows of its own, kneighbors leaves each row out of its neighbours.
    distances, _ = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x).kneighbors()
    np.save(out, distances)


def compare(ours, theirs):
    b = np.load(theirs).astype(np.float64)
    a = np.fromfile(ours, np.float64).reshape(b.shape)
    print(float(np.max(np.abs(a - b) / b)))


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "predictions":
        make_predictions(int(rest[0]), int(rest[1]), Path(rest[2]))
    elif command == "features":
        make_features(int(rest[0]), int(rest[1]), Path(rest[2]))
    elif command == "spectrum":
        make_spectrum(int(rest[0]), int(rest[1]), Path(rest[2]))
    elif command == "parquet":
        make_parquet(int(rest[0]), int(rest[1]), rest[2])
    elif command == "find-issues":
        find_issues(Path(rest[0]), *rest[1:])
    elif command == "call":
        library_call(Path(rest[0]))
    elif command == "neighbours":
        neighbours(Path(rest[0]), int(rest[1]), rest[2])
    elif command == "compare":
        compare(*rest)
    elif command == "datalab":
        datalab(Path(rest[0]), rest[1])
    else:
        sys.exit(__doc__)
