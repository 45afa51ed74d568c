"""A standalone cluster on this machine: a master and two workers, executors that die, workers that die. Needs ASSAY_ARCHIVE."""

import os
import tempfile
import time
import unittest
from pathlib import Path

from pyspark.sql import SparkSession

from assay_spark import audit

from .support import LOCAL, NUMBERS, here, numbers, pipeline, said, standalone

ONLY = "detectors: { embedding-cluster: false, embedding-outlier: false, spectral: false, trigger-tabular: false }"

KILLER = """#!/bin/bash
# Assay; the first call of a step kills what the test asks for.
if [ "$2" = "$KILL_STEP" ] && mkdir "$KILL_MARK" 2>/dev/null; then
  if [ "$KILL_WHAT" = worker ]; then kill -9 $$; fi
  at=$PPID
  while [ "$at" -gt 1 ]; do
    if tr '\\0' ' ' < /proc/$at/cmdline | grep -q CoarseGrainedExecutorBackend; then kill -9 "$at"; exit 1; fi
    at=$(awk '{ print $4 }' /proc/$at/stat)
  done
fi
exec ASSAY "$@"
"""


class Cluster(unittest.TestCase):
    maxDiff = 4_000

    @classmethod
    def setUpClass(cls) -> None:
        archive = os.environ.get("ASSAY_ARCHIVE")
        if not archive:
            raise RuntimeError("ASSAY_ARCHIVE names the archive of `npm run spark:archive`")
        os.environ["ASSAY_NOW"] = "2026-01-01T00:00:00Z"
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name)
        master = cls.enterClassContext(standalone(cls.root))
        cls.data = numbers(cls.root / "n.parquet", 320)
        cls.config = pipeline(cls.root / "n.yaml", NUMBERS, "n.parquet", ONLY)
        cls.expected = here(cls.config, cls.root / "here")
        cls.master = master
        cls.archive = archive

    def session(self, archive: bool = False, **env: str) -> SparkSession:
        """A session with executors of its own, whose environment tells the killer what to do."""
        builder = SparkSession.builder.master(self.master).appName("test").config("spark.ui.enabled", "false")
        builder = builder.config("spark.executor.memory", "700m")
        if archive:
            builder = builder.config("spark.archives", f"{self.archive}#assay")
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.shuffle.partitions", "4")
        builder = builder.config("spark.ui.showConsoleProgress", "false")
        for name, value in {"ASSAY_NOW": os.environ["ASSAY_NOW"], **env}.items():
            builder = builder.config(f"spark.executorEnv.{name}", value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("OFF")
        self.addCleanup(spark.stop)
        return spark

    def killer(self) -> list[str]:
        script = self.root / "killer"
        script.write_text(KILLER.replace("ASSAY", " ".join(LOCAL)))
        script.chmod(0o755)
        return [str(script)]

    def killed(self, step: str, what: str) -> None:
        mark = self.root / f"{what}-{step}"
        spark = self.session(KILL_STEP=step, KILL_WHAT=what, KILL_MARK=str(mark))
        df = spark.read.parquet(str(self.data)).repartition(4)
        done = audit(df, self.config, run_dir=self.root / f"run-{what}-{step}", seed="1", command=self.killer())
        self.assertTrue(mark.exists(), "nothing was killed")
        self.assertEqual(said(done.run_dir), self.expected)

    def test_the_same_answer_with_the_program_from_the_archive(self) -> None:
        spark = self.session(archive=True)
        df = spark.read.parquet(str(self.data)).repartition(5)
        os.environ.pop("ASSAY_COMMAND", None)
        done = audit(df, self.config, run_dir=self.root / "there", seed="1")
        self.assertEqual(said(done.run_dir), self.expected)

    def test_an_executor_killed_in_mid_fit(self) -> None:
        self.killed("fit", "executor")

    def test_an_executor_killed_in_mid_score(self) -> None:
        self.killed("score", "executor")

    def test_a_worker_process_killed(self) -> None:
        self.killed("score", "worker")


if __name__ == "__main__":
    unittest.main()
