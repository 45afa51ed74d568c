"""Activation clustering and spectral signatures of adversarial-robustness-toolbox on the pixels themselves.

embedding_peer.py FOLDER SIDE RATE    reads pixels and labels (bytes), writes scores.json

Its detectors ask a classifier for the activations of a layer: this one hands over the features as they are.
"""

import json
import sys
from pathlib import Path

import numpy as np
from art.defences.detector.poison import ActivationDefence, SpectralSignatureDefense
from art.estimators.classification import BlackBoxClassifier


class Features(BlackBoxClassifier):
    """A classifier whose only layer is its input."""

    @property
    def layer_names(self):
        return ["features"]

    def get_activations(self, x, layer=0, batch_size=128, framework=False):
        return x


def main(folder, side, rate):
    pixels = np.fromfile(folder / "pixels", np.uint8).reshape(-1, side * side).astype(np.float32) / 255
    labels = np.fromfile(folder / "labels", np.uint8).astype(int)
    classes = int(labels.max()) + 1
    onehot = np.eye(classes, dtype=np.float32)[labels]
    classifier = Features(lambda x: np.eye(classes, dtype=np.float32)[np.zeros(len(x), int)], (side * side,), classes, clip_values=(0, 1))
    out = {}

    clustering = ActivationDefence(classifier, pixels, onehot)
    report, is_clean = clustering.detect_poison(nb_clusters=2, nb_dims=10, reduce="PCA", cluster_analysis="smaller")
    suspicious = 1 - np.asarray(is_clean)
    score = np.zeros(len(labels))
    for c in range(classes):
        own = np.flatnonzero(labels == c)
        cluster = np.asarray(clustering.clusters_by_class[c])
        small = np.bincount(cluster, minlength=2).argmin()
        score[own] = (cluster == small).astype(float)
    out["ART activation clustering"] = {"score": score.tolist(), "flags": suspicious.tolist()}

    signatures = SpectralSignatureDefense(
        classifier, pixels, onehot, expected_pp_poison=float(rate), batch_size=128, eps_multiplier=1.5
    )
    report, is_clean = signatures.detect_poison()
    score = np.zeros(len(labels))
    for c in range(classes):
        own = np.flatnonzero(labels == c)
        x = pixels[own]
        _, _, v = np.linalg.svd(x - x.mean(0), full_matrices=False)
        score[own] = np.abs(x @ v[0])  # as in the library, which does not centre the projection
    out["ART spectral signatures"] = {"score": score.tolist(), "flags": (1 - np.asarray(is_clean)).tolist()}
    (folder / "scores.json").write_text(json.dumps(out))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
