"""The same answer as on one machine, whatever the partitions: `local[2]`."""

import os
import tempfile
import unittest
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from assay_spark import AuditIncomplete, audit
from assay_spark.command import WorkerFailed

from .support import LOCAL, NUMBERS, TEXTS, here, numbers, pipeline, said, texts


class Local(unittest.TestCase):
    maxDiff = 4_000

    @classmethod
    def setUpClass(cls) -> None:
        os.environ["ASSAY_NOW"] = "2026-01-01T00:00:00Z"
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.ui.showConsoleProgress", "false").config("spark.sql.shuffle.partitions", "4")
        cls.spark = builder.getOrCreate()
        cls.spark.sparkContext.setLogLevel("OFF")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.spark.stop()

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)

    def there(self, df: DataFrame, config: Path, name: str, **more: object) -> Path:
        done = audit(df, config, run_dir=self.dir / name, seed="1", command=LOCAL, **more)
        self.assertIn(done.exit, (0, 1))
        return done.run_dir

    def test_every_detector_of_tables_and_any_partitions(self) -> None:
        data = numbers(self.dir / "n.parquet", 240)
        config = pipeline(self.dir / "n.yaml", NUMBERS, "n.parquet")
        expected = here(config, self.dir / "here")
        self.assertGreater(expected["rows"]["flagged"], 0)
        df = self.spark.read.parquet(str(data))
        single = df.where("id = 'r5'").coalesce(1)
        empty = df.where("false").coalesce(1)
        cuts = {"one": df.coalesce(1), "seven": df.repartition(7), "odd": single.union(empty).union(df.where("id <> 'r5'").coalesce(1))}
        for name, cut in cuts.items():
            with self.subTest(name):
                self.assertEqual(said(self.there(cut, config, name)), expected)

    def test_sixty_four_partitions(self) -> None:
        data = numbers(self.dir / "n.parquet", 240)
        only = "detectors: { embedding-cluster: false, embedding-outlier: false, spectral: false, trigger-tabular: false }"
        config = pipeline(self.dir / "n.yaml", NUMBERS, "n.parquet", only)
        df = self.spark.read.parquet(str(data)).repartition(64)
        self.assertEqual(said(self.there(df, config, "there")), here(config, self.dir / "here"))

    def test_neighbours_among_all_records(self) -> None:
        data = numbers(self.dir / "n.parquet", 2600)
        only = "embedding-cluster: false, label-flip: false, spectral: false, trigger-tabular: false"
        config = pipeline(self.dir / "n.yaml", NUMBERS, "n.parquet", f"detectors: {{ {only}, embedding-outlier: {{ among: all }} }}")
        expected = here(config, self.dir / "here")
        df = self.spark.read.parquet(str(data))
        single = df.where("id = 'r5'").coalesce(1)
        odd = single.union(df.where("false").coalesce(1)).union(df.where("id <> 'r5'").repartition(3))
        for name, cut in {"one": df.coalesce(1), "odd": odd}.items():
            with self.subTest(name):
                self.assertEqual(said(self.there(cut, config, name)), expected)

    def test_texts_with_a_snapshot(self) -> None:
        data = texts(self.dir / "t.parquet", 240)
        base = pipeline(self.dir / "base.yaml", TEXTS, "t.parquet", "provenance: { manifests: false, snapshot: before }")
        here(base, self.dir / "first")
        changed = self.spark.read.parquet(str(data)).withColumn("label", F.expr("if(id in ('t3', 't5'), 'a', label)"))
        changed.coalesce(1).write.parquet(str(self.dir / "later"))
        config = pipeline(self.dir / "t.yaml", TEXTS, "later/*.parquet", "provenance: { manifests: false, baseline: before }")
        expected = here(config, self.dir / "here")
        self.assertTrue(any(f["rule"].startswith("provenance/") for f in expected["findings"]))
        df = self.spark.read.parquet(str(self.dir / "later")).repartition(3)
        self.assertEqual(said(self.there(df, config, "there")), expected)

    def test_a_reference_and_flags_written_by_spark(self) -> None:
        data = numbers(self.dir / "n.parquet", 160)
        gold = numbers(self.dir / "g.parquet", 80, seed=3)
        config = pipeline(self.dir / "n.yaml", NUMBERS, "n.parquet", f"reference: [{{ path: g.parquet, {NUMBERS} }}]\n")
        expected = here(config, self.dir / "here")
        reads = [self.spark.read.parquet(str(p)).repartition(2) for p in (data, gold)]
        run = self.there(reads[0], config, "there", reference=reads[1], flags=str(self.dir / "flags"))
        self.assertEqual(said(run), expected)
        written = self.spark.read.parquet(str(self.dir / "flags"))
        self.assertEqual(written.count(), len(expected["flags"]))

    def test_a_table_with_the_columns_of_an_answer_and_hostile_names(self) -> None:
        """Its columns are called like those of what workers exchange, and its id has a backtick; an id comes twice."""
        data = numbers(self.dir / "n.parquet", 80)
        df = self.spark.read.parquet(str(data)).withColumn("id", F.expr("if(id = 'r9', 'r8', id)"))
        for name in ("part", "kind", "name", "seq", "rows_in", "digest", "bytes"):
            df = df.withColumn(name, F.lit(7))
        df = df.withColumnRenamed("id", "i`d.x").coalesce(1)
        df.write.parquet(str(self.dir / "hostile"))
        columns = "columns: { id: 'i`d.x', label: diagnosis, source: site }, features: [a, b, c, d]"
        only = "detectors: { embedding-cluster: false, embedding-outlier: false, spectral: false, trigger-tabular: false }"
        config = pipeline(self.dir / "h.yaml", columns, "hostile/*.parquet", only)
        expected = here(config, self.dir / "here")
        self.assertEqual(expected["duplicateIds"]["count"], 1)
        self.assertEqual(said(self.there(self.spark.read.parquet(str(self.dir / "hostile")), config, "there")), expected)

    def test_a_failed_gate_prints_what_was_found(self) -> None:
        data = numbers(self.dir / "n.parquet", 240)
        only = "detectors: { embedding-cluster: false, embedding-outlier: false, spectral: false, trigger-tabular: false }\n"
        config = pipeline(self.dir / "n.yaml", NUMBERS, "n.parquet", only + "gate: { fail-on: never, max-flagged: 0 }\n")
        done = audit(self.spark.read.parquet(str(data)), config, run_dir=self.dir / "there", seed="1", command=LOCAL)
        self.assertEqual(done.exit, 1)
        self.assertIn("FAILED", done.summary)

    def test_what_cannot_be_done_is_told(self) -> None:
        data = numbers(self.dir / "n.parquet", 80)
        df = self.spark.read.parquet(str(data))
        config = pipeline(self.dir / "n.yaml", NUMBERS, "n.parquet", "sensitivity: true\n")
        with self.assertRaisesRegex(WorkerFailed, "sensitivity is not done on a cluster"):
            audit(df, config, run_dir=self.dir / "a", command=LOCAL)
        config = pipeline(self.dir / "m.yaml", NUMBERS, "n.parquet", "")
        with self.assertRaisesRegex(AuditIncomplete, "WorkerFailed|exit code 7"):
            audit(df, config, run_dir=self.dir / "b", command=[str(_breaking(self.dir))])


def _breaking(folder: Path) -> Path:
    """Assay, but for a partition whose worker exits."""
    script = folder / "assay"
    script.write_text(f'#!/bin/sh\ncase "$*" in "worker fit"*) echo poisoned >&2; exit 7;; esac\nexec {" ".join(LOCAL)} "$@"\n')
    script.chmod(0o755)
    return script


if __name__ == "__main__":
    unittest.main()
