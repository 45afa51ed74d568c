"""Where Assay is on this machine, and how it is called."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

TOLD = 4_000
"""Characters of a worker's messages that an error carries."""


class WorkerFailed(RuntimeError):
    """A command of Assay ended with another exit code than 0; `exit` is that code, `said` what it printed."""

    def __init__(self, what: str, exit: int, told: str, said: str = "") -> None:
        super().__init__(f"assay {what} ended with exit code {exit}: {told.strip() or 'it said nothing'}")
        self.exit = exit
        self.said = said


def locate(command: Sequence[str] | None) -> list[str]:
    """The command: as given, as the environment says, from the archive of `--archives`, or from the path. Raises FileNotFoundError."""
    if command:
        return list(command)
    if said := os.environ.get("ASSAY_COMMAND"):
        return said.split()
    folders = [Path.cwd()]
    try:
        from pyspark import SparkFiles

        folders.append(Path(SparkFiles.getRootDirectory()))
    except Exception:  # without a context, as under Spark Connect, there are no such files
        pass
    for folder in folders:
        program = folder / "assay" / "bin" / "assay"
        if program.is_file():
            return [str(program)]
    if found := shutil.which("assay"):
        return [found]
    raise FileNotFoundError(
        "assay is not on this machine: submit with --archives assay-spark.tar.gz#assay, or set ASSAY_COMMAND"
    )


def call(command: Sequence[str], *args: str, feed: Iterator[bytes] | None = None) -> str:
    """Runs a command to its end with `feed` on its standard input; returns what it printed. Raises WorkerFailed."""
    stdin = subprocess.PIPE if feed is not None else subprocess.DEVNULL
    with (
        tempfile.TemporaryFile() as told,
        subprocess.Popen([*command, *args], stdin=stdin, stdout=subprocess.PIPE, stderr=told) as process,
    ):
        assert process.stdout is not None
        try:
            if feed is not None and process.stdin is not None:
                _feed(process.stdin, feed)
            said = process.stdout.read()
            code = process.wait()
        except BaseException:
            process.kill()
            raise
        if code != 0:
            raise WorkerFailed(" ".join(args[:2]), code, tail(told), said.decode())
        return said.decode()


def _feed(stdin: IO[bytes], feed: Iterator[bytes]) -> None:
    try:
        for part in feed:
            stdin.write(part)
        stdin.close()
    except BrokenPipeError:
        drop(stdin)  # its exit code tells why


def drop(pipe: IO[bytes]) -> None:
    """Closes a pipe that nobody reads any longer: what is left in its buffer would be written once more."""
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


def tail(file: IO[bytes]) -> str:
    """The end of what a process wrote to its standard error."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TOLD))
    return file.read().decode(errors="replace")
