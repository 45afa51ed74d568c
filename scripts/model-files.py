"""Benign files of models, made by the libraries that make them: python scripts/model-files.py FOLDER"""

import datetime
import json
import os
import pickle
import sys
import warnings

import h5py
import joblib
import numpy as np
import onnx
import pandas as pd
import scipy.sparse
from onnx import TensorProto, helper
from safetensors.numpy import save_file
from sklearn import datasets, decomposition, ensemble, gaussian_process, linear_model, mixture, naive_bayes, neighbors, neural_network, svm, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, OneHotEncoder, StandardScaler

warnings.simplefilter("ignore")
out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.RandomState(0)


def path(name):
    return os.path.join(out, name)


def dump(name, value, protocol=None):
    with open(path(name), "wb") as f:
        pickle.dump(value, f, protocol=protocol)


X = rng.rand(60, 4)
y = (X[:, 0] > 0.5).astype(int)
plain = {
    "list": [1, 2.5, "x", 10**50, -3, None, True],
    "tuple": (1, 2, 3, 4),
    "sets": [{1, 2}, frozenset("ab")],
    "bytes": [b"abc", bytearray(b"x" * 300)],
    "date": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    "array": np.arange(10.0),
    "scalar": np.float32(3),
    "long": "y" * 70_000,
}
for protocol in range(6):
    dump(f"plain-{protocol}.pkl", plain, protocol)
models = {
    "bayes": naive_bayes.GaussianNB(),
    "boost": ensemble.GradientBoostingClassifier(n_estimators=3),
    "calibrated": CalibratedClassifierCV(svm.LinearSVC(), cv=2),
    "columns": make_pipeline(ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", SimpleImputer(), [2, 3])]), linear_model.LogisticRegression()),
    "forest": ensemble.RandomForestClassifier(5),
    "gaussian": gaussian_process.GaussianProcessClassifier(),
    "grid": GridSearchCV(linear_model.LogisticRegression(), {"C": [0.1, 1]}, cv=2),
    "hist": ensemble.HistGradientBoostingClassifier(max_iter=3),
    "isolation": ensemble.IsolationForest(n_estimators=5),
    "kmeans": KMeans(2, n_init=1),
    "linear": make_pipeline(StandardScaler(), linear_model.LogisticRegression()),
    "log": make_pipeline(FunctionTransformer(np.log1p), SelectKBest(f_classif, k=2), linear_model.RidgeClassifier()),
    "mixture": mixture.GaussianMixture(2),
    "neighbours": neighbors.KNeighborsClassifier(algorithm="kd_tree"),
    "network": neural_network.MLPClassifier((4,), max_iter=5),
    "pca": decomposition.PCA(2),
    "rest": OneVsRestClassifier(linear_model.Perceptron()),
    "sgd": linear_model.SGDClassifier(),
    "svc": svm.SVC(),
    "tree": tree.DecisionTreeClassifier(),
    "voting": ensemble.VotingClassifier([("a", tree.DecisionTreeClassifier()), ("b", svm.SVC())]),
}
for name, model in models.items():
    model.fit(X, y)
    dump(f"{name}.pkl", model, protocol=2 + len(name) % 4)
    joblib.dump(model, path(f"{name}.joblib"))
dump("text.pkl", [TfidfVectorizer().fit(["a bc de", "bc f"]), CountVectorizer(analyzer="char").fit(["ab"])])
dump("encoders.pkl", [LabelEncoder().fit(["a", "b"]), OneHotEncoder().fit([["a"], ["b"]]), IsotonicRegression().fit(X[:, 0], y)])
dump("bunch.pkl", datasets.load_iris())
dump("frame.pkl", pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pd.to_datetime(["2020", "2021"]), "d": pd.Categorical(["u", "v"]), "e": pd.array([1, None])}))
dump("times.pkl", [pd.Timestamp("2020"), pd.Timedelta(3), pd.Period("2020"), pd.Interval(0, 1), pd.NaT, pd.date_range("2020", periods=3), pd.MultiIndex.from_tuples([(1, "a")])])
dump("sparse.pkl", [scipy.sparse.random(5, 5, 0.5, format=f) for f in ("csr", "csc", "coo", "lil", "dok")])
dump("random.pkl", [np.random.RandomState(0), np.random.default_rng(0), np.ma.array([1, 2], mask=[0, 1]), np.log1p, np.dtype([("a", "f4"), ("b", "i8", (2,))])])
for method in ("zlib", "gzip", "bz2", "lzma", "xz", "lz4"):
    joblib.dump({"model": models["linear"], "x": X, "more": rng.rand(2_000)}, path(f"compressed-{method}.joblib"), compress=(method, 3))
joblib.dump(
    {
        "objects": np.array([{"a": 1}, None, "x", X], dtype=object),
        "floats": X,
        "records": np.zeros(3, dtype=[("a", "f4"), ("b", "i8")]),
        "texts": np.array(["abc", "de"]),
        "dates": np.array(["2020-01-01"], dtype="M8[D]"),
        "bools": np.array([True]),
        "fortran": np.asfortranarray(X),
        "empty": np.zeros((0, 3)),
        "scalar": np.array(3.0),
        "after": "the end",
    },
    path("arrays.joblib"),
)
np.save(path("floats.npy"), X)
np.save(path("objects.npy"), np.array([{"a": 1}], dtype=object), allow_pickle=True)
np.save(path("records.npy"), np.zeros(3, dtype=[("a", "f4"), ("b", "U5", (2, 2))]))
np.savez(path("arrays.npz"), a=X, o=np.array([1, "a"], dtype=object))
np.savez_compressed(path("compressed.npz"), a=X, b=y)
save_file({"a": X, "b": y, "empty": np.zeros((0, 2), dtype=np.float32)}, path("model.safetensors"), metadata={"format": "np"})

graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Relu", ["z"], ["y"])],
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 4])],
    [helper.make_tensor("w", TensorProto.FLOAT, [4, 4], rng.rand(16).astype(np.float32).tobytes(), raw=True)],
)
onnx.save(helper.make_model(graph), path("model.onnx"))
onnx.save(helper.make_model(graph), path("external.onnx"), save_as_external_data=True, location="external.bin", size_threshold=0)

dense = {"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "relu"}, "module": "keras.layers", "registered_name": None}
with h5py.File(path("model.h5"), "w") as f:
    f.attrs["keras_version"] = "2.15.0"
    f.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": [dense]}})
    f.create_dataset("model_weights/dense/kernel", data=X)
