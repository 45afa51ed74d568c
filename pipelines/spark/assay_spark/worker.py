"""What runs in a task: one process of Assay, a stream in, a stream out."""

import hashlib
import io
import itertools
import os
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import pyarrow as pa

from .command import WorkerFailed, drop, locate, tail

ANSWER = "part int, kind string, name string, seq int, rows_in bigint, digest string, bytes binary"
"""Columns of what a task returns, as Spark writes a schema."""

Batches = Iterator[pa.RecordBatch]


def pack(folder: str, names: Sequence[str]) -> bytes:
    """Plan and summaries as one archive: what every task gets."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        for name in names:
            if os.path.exists(os.path.join(folder, name)):
                archive.add(os.path.join(folder, name), arcname=name)
    return out.getvalue()


class _Pump(threading.Thread):
    """Writes batches to the worker while its answer is read, and keeps count of what it wrote."""

    def __init__(self, stdin: IO[bytes], batches: Batches) -> None:
        super().__init__(daemon=True)
        self._stdin = stdin
        self._batches = batches
        self._hash = hashlib.sha256()
        self.rows = 0
        self.error: BaseException | None = None

    def write(self, data: Any) -> int:
        self._hash.update(data)
        return self._stdin.write(data)

    def flush(self) -> None:
        self._stdin.flush()

    @property
    def closed(self) -> bool:
        return False

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def run(self) -> None:
        try:
            writer: Any = None
            for batch in self._batches:
                if writer is None:
                    writer = pa.ipc.new_stream(self, batch.schema)
                writer.write_batch(batch)
                self.rows += batch.num_rows
            if writer is not None:
                writer.close()
            self._stdin.close()
        except BrokenPipeError:
            drop(self._stdin)  # the worker's exit code tells why
        except BaseException as error:
            self.error = error
            # A stream that is cut looks complete to the reader: the worker must not answer for half of it.
            self.kill()
            drop(self._stdin)

    def kill(self) -> None:
        """Set by who started the worker."""


def _first(batches: Batches) -> tuple[pa.RecordBatch | None, Batches]:
    for batch in batches:
        if batch.num_rows > 0:
            return batch, batches
    return None, batches


def _again(first: pa.RecordBatch, rest: Batches, names: Sequence[str] | None) -> Batches:
    for batch in itertools.chain([first], rest):
        yield batch if names is None else batch.rename_columns(names)


def task(
    args: Sequence[str], model: bytes, command: Sequence[str] | None, names: Sequence[str] | None = None
) -> Callable[[Batches], Batches]:
    """
    A function for `mapInArrow` that has one worker answer for the partition. `args`: the worker's command without its folder and, for a
    read, without the number of the partition. `names`: what the columns of records are called in truth. A partition without rows has
    no answer. Raises WorkerFailed, so that Spark tries the task again.
    """

    def run(batches: Batches) -> Batches:
        first, rest = _first(batches)
        if first is None:
            return
        # By the step and not by the columns: a table may have any.
        is_records = list(args[:4]) == ["worker", "fit", "--level", "0"]
        with tempfile.TemporaryDirectory(prefix="assay-model-") as folder:
            with tarfile.open(fileobj=io.BytesIO(model), mode="r:gz") as archive:
                archive.extractall(folder, filter="data")
            line = [*locate(command), *args, "--run-dir", folder]
            if is_records:
                yield from _converse([*line, "--part", str(_number())], _again(first, rest, names), True)
            elif args[1] in ("merge", "work"):
                yield from _converse(line, itertools.chain([first], rest), False)
            else:
                for part, rows in itertools.groupby(_by_part(itertools.chain([first], rest)), key=lambda of: of[0]):
                    yield from _converse([*line, "--part", str(part)], (batch for _, batch in rows), False)

    return run


def _by_part(batches: Batches) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches cut where the partition that their rows belong to changes."""
    for batch in batches:
        parts = batch.column("part").to_pylist()
        start = 0
        for end in range(1, len(parts) + 1):
            if end == len(parts) or parts[end] != parts[start]:
                yield parts[start], batch.slice(start, end - start)
                start = end


def _number() -> int:
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.partitionId() if context else 0


def _converse(line: Sequence[str], batches: Batches, is_records: bool) -> Batches:
    what = " ".join(line[1:])
    with (
        tempfile.TemporaryFile() as told,
        subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        pump = _Pump(process.stdin, batches)
        pump.kill = process.kill  # type: ignore[method-assign]
        pump.start()
        count, end, broken = 0, None, ""
        try:
            try:
                for batch in pa.ipc.open_stream(process.stdout):
                    if batch.num_rows == 0:
                        continue
                    if batch.column("kind")[-1].as_py() == "end":
                        end = batch.slice(batch.num_rows - 1).to_pylist()[0]
                        batch = batch.slice(0, batch.num_rows - 1)
                    count += batch.num_rows
                    if batch.num_rows > 0:
                        yield batch
            except (pa.ArrowInvalid, OSError) as error:
                broken = str(error)
            code = process.wait()
            pump.join()
        finally:
            if process.poll() is None:
                process.kill()
        if pump.error is not None:
            raise pump.error
        if code != 0 or broken:
            raise WorkerFailed(what, code, tail(told) or broken)
        # A stream that is cut between two messages looks complete to Arrow.
        if end is None or end["seq"] != count:
            raise WorkerFailed(what, code, f"{count} rows came back, and not the {end and end['seq']} that it counted")
        if is_records and count > 0 and (end["rows_in"], end["digest"]) != (pump.rows, pump.digest):
            raise WorkerFailed(what, code, f"it read {end['rows_in']} rows of the {pump.rows} that it was given, or other bytes")
