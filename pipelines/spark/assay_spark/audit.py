"""The coordinator: reads as jobs of Spark, states merged in a tree, everything else by Assay on the driver."""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import StorageLevel, cloudpickle
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from . import command as command_module
from . import worker as worker_module
from .command import WorkerFailed, call, locate
from .worker import ANSWER, pack, task

# Executors need no package of ours: what a task runs travels with it.
cloudpickle.register_pickle_by_value(command_module)  # type: ignore[no-untyped-call]
cloudpickle.register_pickle_by_value(worker_module)  # type: ignore[no-untyped-call]

FAN = 8
"""States that become one in a round of the merge."""
SAMPLE_ROWS = 4_096
SAMPLE_BYTES = 64 << 20
BATCH_BYTES = 32 << 20
"""About what one record batch of the data holds between Spark and a worker."""
PIECES = 64
"""Rows of a worker's answer in one record batch; each has up to 128 KiB."""
RESULT_BYTES = 16 << 20
"""What one job brings to the driver; it is there several times over while it is unpacked."""
ORDER = ["name", "part", "seq"]
RECORDS = "spark.sql.execution.arrow.maxRecordsPerBatch"

ANSWER_SCHEMA = pa.schema(
    [
        ("part", pa.int32()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("seq", pa.int32()),
        ("rows_in", pa.int64()),
        ("digest", pa.string()),
        ("bytes", pa.binary()),
    ]
)


class AuditIncomplete(RuntimeError):
    """The audit could not be brought to its end; there is no answer. Exit code 2."""


@dataclass(frozen=True)
class Audit:
    """What came of an audit. `exit`: 0 passed, 1 the gate failed, 2 incomplete, 3 nothing audited."""

    exit: int
    run_dir: Path
    summary: str

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.run_dir / "report.json").read_text("utf-8"))
        return report


def audit(
    df: DataFrame,
    pipeline: str | os.PathLike[str],
    *,
    run_dir: str | os.PathLike[str],
    reference: DataFrame | None = None,
    seed: str | None = None,
    flags: str | None = None,
    command: Sequence[str] | None = None,
) -> Audit:
    """
    Audits the records of a data frame.

    `pipeline`: the pipeline file; its one source says which column is what. `run_dir`: a new folder on the driver for report and flags.
    `reference`: records you vouch for, with the same columns. `flags`: where Spark writes the flags as a Parquet data set besides, such as
    an address in a bucket. `command`: how Assay is called; found where absent.

    Raises AuditIncomplete where a read fails for good or sees other rows than the one before, WorkerFailed (exit 4) for a pipeline that
    cannot be run.
    """
    run = _Run(df.sparkSession, Path(run_dir), locate(command), list(command) if command else None, seed)
    with _records_per_batch(df.sparkSession):
        try:
            return run.audit(df, reference, os.fspath(pipeline), flags)
        except PySparkException as error:
            raise AuditIncomplete(_reason(error)) from error
        except WorkerFailed as error:
            if error.exit == 4:
                raise
            raise AuditIncomplete(str(error)) from error
        finally:
            run.release()


def _reason(error: PySparkException) -> str:
    """The line that says what went wrong in a task, out of the many that Spark adds."""
    lines = str(error).splitlines()
    said = [line for line in lines if re.match(r"[\w.]*(Failed|Error|Invalid|Exception): ", line)]
    return (said[-1] if said else lines[0] if lines else "a job of Spark failed").strip()


@contextmanager
def _records_per_batch(spark: SparkSession) -> Iterator[None]:
    before = spark.conf.get(RECORDS)
    try:
        yield
    finally:
        spark.conf.set(RECORDS, before or "10000")


class _Run:
    def __init__(self, spark: SparkSession, folder: Path, assay: list[str], given: list[str] | None, seed: str | None) -> None:
        self.spark = spark
        self.dir = folder
        self.assay = assay
        self.given = given
        self.seed = seed
        self.kept: list[DataFrame] = []
        self.parts: dict[str, int] = {}

    def call(self, *args: str, feed: Iterator[bytes] | None = None) -> str:
        return call(self.assay, *args, feed=feed)

    def release(self) -> None:
        for frame in self.kept:
            frame.unpersist()

    def audit(self, df: DataFrame, reference: DataFrame | None, pipeline: str, flags: str | None) -> Audit:
        self.dir.mkdir(parents=True, exist_ok=True)
        plan, batch_rows = self.plan(df, reference, pipeline)
        frames = {"subject": df} if reference is None else {"subject": df, "reference": reference}
        names = {over: frame.columns for over, frame in frames.items()}
        read: dict[str, DataFrame] = {}
        for level in range(len(plan["subject"])):
            model = self.model(level)
            for over, frame in frames.items():
                args = ["worker", "fit", "--level", str(level), "--over", over]
                step = f"fit:{level}:{over}"
                if level == 0:
                    self.spark.conf.set(RECORDS, str(batch_rows[over]))
                    read[over] = answers = self.keep(_plain(frame).mapInArrow(task(args, model, self.given, names[over]), ANSWER))
                    self.parts[over] = self.count_parts(answers)
                    self.spark.conf.set(RECORDS, str(PIECES))
                    if over == "subject" and plan["snapshot"]:
                        self.call("worker", "accept", "segments", "--step", step, *self.at(), feed=_stream(_of(answers, "segment")))
                elif plan[over][level] == 0:
                    continue
                else:
                    answers = _of(read[over], "file").mapInArrow(task(args, model, self.given), ANSWER)
                self.accept(step, answers, model, over)
            self.call("merge", *self.at(), "--level", str(level), "--progress", "none")
            if plan["exchange"] == level:
                read["subject"] = self.exchange(read["subject"], self.model(level + 1))
        self.duplicates(df, plan["id"])
        model = self.model(len(plan["subject"]))
        scored = self.keep(_of(read["subject"], "file").mapInArrow(task(["worker", "score"], model, self.given), ANSWER))
        self.accept("score", scored, model, "subject")
        model = self.model(len(plan["subject"]))
        flagged = self.keep(_of(scored, "file").mapInArrow(task(["worker", "flag"], model, self.given), ANSWER))
        self.accept("flag", flagged, model, "subject")
        for kind in ["flags", "scores"] if plan["scores"] else ["flags"]:
            self.collect(flagged, f"{kind}.parquet")
        if flags is not None:
            _of(flagged, "file").where(F.col("name") == "flags.parquet").mapInArrow(_unpack, FLAGS).write.parquet(flags)
        return self.report()

    def plan(self, df: DataFrame, reference: DataFrame | None, pipeline: str) -> tuple[dict[str, Any], dict[str, int]]:
        rows = df.count()
        sample, wide = self.sample(df, "sample.arrow")
        args = ["--sample", sample, "--rows", str(rows)]
        batch_rows = {"subject": wide}
        if reference is not None:
            trusted, wide = self.sample(reference, "reference-sample.arrow")
            batch_rows["reference"] = wide
            args += ["--reference-sample", trusted, "--reference-rows", str(reference.count())]
        if self.seed is not None:
            args += ["--seed", self.seed]
        said = self.call("worker", "plan", *self.at(), "--config", pipeline, *args)
        return json.loads(said.splitlines()[-1]), batch_rows

    def sample(self, df: DataFrame, name: str) -> tuple[str, int]:
        """The first records in a file, and how many of their size make a batch."""
        plain = _plain(df)
        few = plain.limit(64).toArrow()
        width = max(1, few.nbytes // max(1, few.num_rows))
        rows = max(64, min(SAMPLE_ROWS, SAMPLE_BYTES // width))
        table = (few if few.num_rows < 64 else plain.limit(rows).toArrow()).rename_columns(df.columns)
        path = str(self.dir / name)
        with pa.ipc.new_stream(path, table.schema) as out:
            out.write_table(table.combine_chunks())
        return path, max(16, min(10_000, BATCH_BYTES // width))

    def at(self) -> list[str]:
        return ["--run-dir", str(self.dir)]

    def model(self, levels: int) -> bytes:
        summaries = [f"state/summary-{level}.safetensors" for level in range(levels)]
        return pack(str(self.dir), ["plan.json", *summaries, "state/decisions.safetensors"])

    def keep(self, frame: DataFrame) -> DataFrame:
        kept = frame.persist(StorageLevel.DISK_ONLY)
        self.kept.append(kept)
        return kept

    def count_parts(self, answers: DataFrame) -> int:
        most = answers.select(F.max("part")).first()
        return 0 if most is None or most[0] is None else int(most[0]) + 1

    def accept(self, step: str, answers: DataFrame, model: bytes, over: str) -> None:
        """States of a step, merged until one of each is left. Which ones meet depends on the numbers of their partitions alone."""
        states = _of(answers, "state")
        parts = self.parts[over]
        merge = task(["worker", "merge", "--step", step, "--fan", str(FAN)], model, self.given)
        while parts > 1:
            parts = -(-parts // FAN)
            states = _of(
                states.withColumn("cell", F.floor(F.col("part") / FAN).cast("int"))
                .repartition(min(parts * 4, 200), "name", "cell")
                .sortWithinPartitions(*ORDER)
                .drop("cell")
                .mapInArrow(merge, ANSWER),
                "state",
            )
        states = states.persist(StorageLevel.DISK_ONLY)
        try:
            size = states.select(F.sum(F.length("bytes"))).first()
            jobs = 1 + int((size and size[0]) or 0) // RESULT_BYTES
            ordered = states.repartitionByRange(jobs, *ORDER).sortWithinPartitions(*ORDER)
            self.call("worker", "accept", "states", "--step", step, *self.at(), feed=_stream(ordered))
        finally:
            states.unpersist()

    def exchange(self, read: DataFrame, model: bytes) -> DataFrame:
        """Copies of the records go to buckets and are compared there; the answers join the files of their partitions."""
        parts = self.parts["subject"]
        sent = _of(_of(read, "file").mapInArrow(task(["worker", "route"], model, self.given), ANSWER), "sent")
        buckets = sent.repartition(min(parts * 4, 2_000), "name").sortWithinPartitions(*ORDER)
        answers = self.keep(buckets.mapInArrow(task(["worker", "work"], model, self.given), ANSWER))
        files = _of(read, "file").unionByName(_of(answers, "file"))
        return self.keep(files.repartition(parts, "part").sortWithinPartitions("part", "name", "seq"))

    def duplicates(self, df: DataFrame, column: str | None) -> None:
        """Records whose id an earlier one has."""
        found: dict[str, Any] = {"count": 0, "examples": []}
        if column is not None:
            ids = _plain(df).select(_column(df.columns, column).cast("string").alias("id")).where("id is not null")
            more = ids.groupBy("id").count().where("count > 1")
            total = more.select(F.sum(F.col("count") - 1)).first()
            count = int(total[0] or 0) if total is not None else 0
            examples = [row["id"] for row in more.orderBy("id").limit(20).collect()] if count else []
            found = {"count": count, "examples": examples}
        (self.dir / "state" / "duplicates.json").write_text(json.dumps(found), "utf-8")

    def collect(self, flagged: DataFrame, name: str) -> None:
        """The partitions' tables as one file of the run, one of them in memory at a time."""
        pieces = _of(flagged, "file").where(F.col("name") == name).select("part", "seq", "bytes")
        writer: pq.ParquetWriter | None = None
        for data in _whole(row.asDict() for row in pieces.toLocalIterator()):
            table = pq.read_table(pa.BufferReader(data))
            if writer is None:
                writer = pq.ParquetWriter(self.dir / name, table.schema)
            writer.write_table(table.cast(writer.schema))
        if writer is not None:
            writer.close()

    def report(self) -> Audit:
        try:
            return Audit(0, self.dir, self.call("report", *self.at(), "--progress", "none"))
        except WorkerFailed as failed:
            if not (self.dir / "report.json").exists():
                raise
            return Audit(failed.exit, self.dir, failed.said)


FLAGS = (
    "id string, shard string, row bigint, detector string, rule string, score double, p_value double, "
    "`group` string, given_label string, suggested_label string"
)
_FLAG_SCHEMA = pa.schema(
    [("id", pa.string()), ("shard", pa.string()), ("row", pa.int64()), ("detector", pa.string()), ("rule", pa.string())]
    + [("score", pa.float64()), ("p_value", pa.float64())]
    + [(name, pa.string()) for name in ("group", "given_label", "suggested_label")]
)


def _whole(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Files from the pieces that follow one another."""
    parts: list[bytes] = []
    for row in rows:
        if row["seq"] == 0 and parts:
            yield b"".join(parts)
            parts = []
        parts.append(bytes(row["bytes"]))
    if parts:
        yield b"".join(parts)


def _unpack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for data in _whole(row for batch in batches for row in batch.to_pylist()):
        yield from pq.read_table(pa.BufferReader(data)).select(_FLAG_SCHEMA.names).cast(_FLAG_SCHEMA).to_batches()


def _plain(df: DataFrame) -> DataFrame:
    """The same columns under plain names: Spark takes a dot or a backtick in a name for a part of its own grammar."""
    return df.toDF(*[f"c{i}" for i in range(len(df.columns))])


def _column(names: Sequence[str], name: str) -> Column:
    """A column of the plain frame by its name in the data, or the field of a struct as `struct.field`."""
    if name in names:
        return F.col(f"c{names.index(name)}")
    head, _, field = name.partition(".")
    return F.col(f"c{names.index(head)}").getField(field)


def _of(answers: DataFrame, kind: str) -> DataFrame:
    return answers.where(F.col("kind") == kind)


def _stream(frame: DataFrame) -> Iterator[bytes]:
    """Rows of an answer as an Arrow IPC stream, one row in memory at a time."""
    sink = _Sink()
    writer = pa.ipc.new_stream(sink, ANSWER_SCHEMA)
    for row in frame.toLocalIterator():
        values = [[v if name != "bytes" else bytes(v)] for name, v in zip(ANSWER_SCHEMA.names, row, strict=True)]
        writer.write_batch(pa.record_batch([pa.array(v, f.type) for v, f in zip(values, ANSWER_SCHEMA, strict=True)], schema=ANSWER_SCHEMA))
        yield sink.take()
    writer.close()
    yield sink.take()


class _Sink:
    """A file that is emptied as it is filled."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        out = b"".join(self._parts)
        self._parts = []
        return out
