"""`spark-submit ... run.py --pipeline pipeline.yaml --table studies`: the audit as a job."""

import argparse
import sys

from pyspark.sql import DataFrame, SparkSession

from .audit import AuditIncomplete, audit
from .command import WorkerFailed


def _frame(spark: SparkSession, table: str | None, path: str | None, format: str) -> DataFrame:
    if table is not None:
        return spark.table(table)
    return spark.read.format(format).load(path)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="assay-spark", description="Has this training data been poisoned, and how sure are we?")
    parser.add_argument("--pipeline", required=True, help="the pipeline file; its one source says which column is what")
    parser.add_argument("--run-dir", required=True, help="a new folder on the driver for report and flags")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--table", help="a table that the session knows")
    what.add_argument("--path", help="a data set that the session can read")
    parser.add_argument("--format", default="parquet", help="of --path: parquet, delta, iceberg, orc, json ... (default: parquet)")
    parser.add_argument("--reference-table", help="records you vouch for: a table")
    parser.add_argument("--reference-path", help="records you vouch for: a data set of the same format")
    parser.add_argument("--seed", help="the same seed gives the same result (default: random)")
    parser.add_argument("--flags", help="where Spark writes the flags as a Parquet data set besides")
    args = parser.parse_args(argv)
    spark = SparkSession.builder.appName("assay").getOrCreate()
    reference = None
    if args.reference_table or args.reference_path:
        reference = _frame(spark, args.reference_table, args.reference_path, args.format)
    try:
        done = audit(
            _frame(spark, args.table, args.path, args.format),
            args.pipeline,
            run_dir=args.run_dir,
            reference=reference,
            seed=args.seed,
            flags=args.flags,
        )
    except AuditIncomplete as error:
        print(f"assay: incomplete: {error}", file=sys.stderr)
        return 2
    except (WorkerFailed, FileNotFoundError) as error:
        print(f"assay: {error}", file=sys.stderr)
        return 4
    print(done.summary, end="")
    return done.exit


if __name__ == "__main__":
    sys.exit(main())
