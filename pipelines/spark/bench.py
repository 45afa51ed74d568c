"""
Throughput beside the local engine in one run:   python bench.py --rows 1000000 [--partitions 8,64]
What the driver holds, on a standalone cluster:  python bench.py --driver --rows 100000 --partitions 4,16,64
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from assay_spark import audit
from tests.support import LOCAL, standalone

DIMS, CLASSES, GROUP = 64, 10, 100_000


def generate(folder: Path, rows: int) -> None:
    """Blobs of ten classes, one label in a hundred turned, as Parquet files of row groups of 100,000."""
    draw = np.random.default_rng(1)
    centres = draw.normal(0, 1.5, (CLASSES, DIMS)).astype("f4")
    folder.mkdir()
    for n, at in enumerate(range(0, rows, GROUP)):
        size = min(GROUP, rows - at)
        label = draw.integers(0, CLASSES, size)
        vectors = centres[label] + draw.normal(0, 1, (size, DIMS)).astype("f4")
        given = np.where(draw.random(size) < 0.01, (label + 1) % CLASSES, label)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIMS)
        ids = pa.array([f"record-{at + i}" for i in range(size)])
        pq.write_table(pa.table({"id": ids, "label": pa.array(given.astype("U2")), "embedding": lists}), folder / f"{n:04}.parquet")


def spent() -> float:
    """Processor seconds of this process and of those of its children that have ended."""
    return sum(u.ru_utime + u.ru_stime for u in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)))


def peak(pid: int | str) -> float:
    """MiB that a process held at its most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def driver(folder: Path, config: Path, parts: int, master: str) -> None:
    """One audit by a driver of its own, in a process of its own: what Python and Java held."""
    builder = SparkSession.builder.master(master).config("spark.ui.enabled", "false").config("spark.driver.memory", "512m")
    builder = builder.config("spark.executor.memory", "700m").config("spark.driver.host", "127.0.0.1")
    spark = builder.config("spark.ui.showConsoleProgress", "false").config("spark.sql.shuffle.partitions", "4").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    df = spark.read.parquet(str(folder / "data")).repartition(parts)
    audit(df, config, run_dir=folder / f"driver-{parts}", seed="1", command=LOCAL)
    java = subprocess.run(["pgrep", "-P", str(os.getpid()), "java"], capture_output=True, text=True, check=True).stdout.split()[0]
    print(f"{parts} partitions: driver's Python {peak('self'):.0f} MiB, its Java {peak(java):.0f} MiB", flush=True)
    spark.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--partitions", default="8,64")
    parser.add_argument("--only", default="", help="detectors that run, as in --only of assay audit")
    parser.add_argument("--driver", action="store_true", help="what the driver holds, instead")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if args.one:
        driver(Path(args.one[0]), Path(args.one[1]), int(args.one[2]), args.one[3])
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder / "data", args.rows)
        config = folder / "pipeline.yaml"
        off = ["embedding-cluster", "embedding-outlier", "label-flip", "spectral"]
        wanted = args.only.split(",") if args.only else off
        switches = ", ".join(f"{d}: false" for d in off if d not in wanted)
        config.write_text(
            "version: 1\nsources: [{ path: data/*.parquet, columns: { id: id, label: label, embedding: embedding } }]\n"
            f"report: {{ formats: [json] }}\ndetectors: {{ {switches} }}\n"
        )
        if args.driver:
            with standalone(folder) as master:
                for parts in args.partitions.split(","):
                    subprocess.run([sys.executable, "-W", "ignore", __file__, "--one", str(folder), str(config), parts, master], check=True)
            return
        before, since = spent(), time.monotonic()
        subprocess.run([*LOCAL, "audit", str(config), "--run-dir", str(folder / "here"), "--seed", "1", "--quiet", "--workers", "2"], check=False)
        local = time.monotonic() - since
        print(f"local engine, 2 workers: {local:.1f} s, {args.rows / local:,.0f} records a second, {spent() - before:.0f} s of processors")
        shutil.rmtree(folder / "here")
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "2g")
        spark = builder.config("spark.ui.showConsoleProgress", "false").config("spark.sql.shuffle.partitions", "4").getOrCreate()
        spark.sparkContext.setLogLevel("OFF")
        for parts in map(int, args.partitions.split(",")):
            df = spark.read.parquet(str(folder / "data")).coalesce(parts) if parts < args.rows // GROUP else None
            if df is None:
                df = spark.read.parquet(str(folder / "data")).repartition(parts)
            since = time.monotonic()
            audit(df, config, run_dir=folder / f"there-{parts}", seed="1", command=LOCAL)
            took = time.monotonic() - since
            held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"Spark, local[2], {parts} partitions: {took:.1f} s, {local / took:.2f} of the local engine, driver's Python {held:.0f} MiB")


if __name__ == "__main__":
    main()
