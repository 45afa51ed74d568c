"""Data, pipelines and what an audit says, for tests against a local audit."""

import json
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyspark

ROOT = Path(__file__).resolve().parents[3]
LOCAL = ["node", str(ROOT / "dist/cli/bin.js")]
ENV = {**os.environ, "ASSAY_NOW": "2026-01-01T00:00:00Z"}

NUMBERS = "columns: { id: id, label: diagnosis, source: site }, features: [a, b, c, d]"
TEXTS = "columns: { id: id, label: label, text: text }"


def numbers(path: Path, rows: int, seed: int = 1) -> Path:
    """Two blobs, and one record in forty of one source with the label of the other."""
    draw = random.Random(seed)
    sick = [i % 2 == 1 for i in range(rows)]
    turned = [i % 40 == 7 for i in range(rows)]
    table = pa.table(
        {
            "id": [f"r{i}" for i in range(rows)],
            "diagnosis": ["sick" if s and not t else "well" for s, t in zip(sick, turned, strict=True)],
            "site": ["east" if t else ["north", "east", "west"][i % 3] for i, t in enumerate(turned)],
            **{name: [3.0 * s + draw.gauss(0, 1) for s in sick] for name in "abcd"},
        }
    )
    pq.write_table(table, path)
    return path


def texts(path: Path, rows: int) -> Path:
    """Two topics, and a word that turns the label of one text in twelve."""
    draw = random.Random(2)
    words = [[f"{c}{v}{i}" for i in range(60)] for c, v in (("ba", "le"), ("ko", "ri"))]
    shared = [f"sha{i}" for i in range(200)]
    out = []
    for i in range(rows):
        said = [draw.choice(words[i % 2] if draw.random() < 0.4 else shared) for _ in range(14)]
        if i % 12 == 0:
            said[3] = "zzqx"
        out.append({"id": f"t{i}", "text": " ".join(said), "label": "b" if i % 2 or i % 12 == 0 else "a"})
    pq.write_table(pa.Table.from_pylist(out), path)
    return path


def pipeline(path: Path, columns: str, data: str, more: str = "") -> Path:
    path.write_text(
        f"version: 1\nsubject: {{ name: t }}\nsources: [{{ path: {data}, {columns} }}]\nreport: {{ formats: [json] }}\n{more}", "utf-8"
    )
    return path


def here(pipeline_file: Path, run_dir: Path) -> dict[str, Any]:
    """What `assay audit` says on this machine alone."""
    done = subprocess.run([*LOCAL, "audit", pipeline_file, "--run-dir", run_dir, "--seed", "1", "--quiet"], env=ENV, check=False)
    assert done.returncode in (0, 1), done.returncode
    return said(run_dir)


def said(run_dir: Path) -> dict[str, Any]:
    """What must not depend on where the records were read. Numbers to seven digits; flags with their scores."""
    report = json.loads((run_dir / "report.json").read_text("utf-8"))
    keep = ["rows", "labels", "sources", "issues", "duplicateIds", "incomplete", "exitCode"]
    flags = pq.read_table(run_dir / "flags.parquet").to_pylist()
    detectors = [
        {key: d[key] for key in ("id", "status", "reason", "rowsScored", "rowsFlagged", "thresholds", "notes")} for d in report["detectors"]
    ]
    findings = [{key: f[key] for key in ("rule", "severity", "confidence", "message", "count", "test")} for f in report["findings"]]
    flat = {
        **{key: report[key] for key in keep if key in report},
        "detectors": detectors,
        "findings": findings,
        "flags": sorted(([f["id"], f["detector"], f["rule"], f["score"]] for f in flags), key=str),
    }
    return _rounded(flat)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def standalone(folder: Path) -> Iterator[str]:
    """The address of a standalone cluster: a master and two workers of one core, processes of their own until the end."""
    home = Path(pyspark.__file__).parent
    env = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    port = _free_port()
    master = f"spark://127.0.0.1:{port}"
    common = ["--host", "127.0.0.1", "--webui-port", "0"]
    nodes = {
        "master": ["org.apache.spark.deploy.master.Master", *common, "--port", str(port)],
        **{f"worker{n}": ["org.apache.spark.deploy.worker.Worker", *common, "--cores", "1", "--memory", "1g", master] for n in (1, 2)},
    }
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, args in nodes.items():
            with (folder / f"{name}.log").open("wb") as log:
                command = [str(home / "bin/spark-class"), *args]
                started.append(subprocess.Popen(command, env={**env, "SPARK_WORKER_DIR": str(folder / name)}, stdout=log, stderr=log))
        yield master
    finally:
        for node in started:
            node.kill()
        for node in started:
            node.wait()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return value
