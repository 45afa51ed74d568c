"""Airflow: one audit of the labelled store a night. Put it in the folder of DAGs; Assay lies in /opt/assay on the workers."""

import os
from datetime import datetime, timedelta

from airflow import DAG
from airflow.exceptions import AirflowFailException
from airflow.operators.python import PythonOperator

COMMAND = [
    "/opt/assay/pipelines/schedule/night.sh",
    "/etc/assay/pipeline.yaml",
    "/var/lib/assay",
]


def night() -> None:
    """A failed gate is an answer and fails the task at once; an incomplete audit (2) is tried again and goes on where it stopped."""
    import subprocess

    environment = {"ASSAY": "node /opt/assay/dist/cli/bin.js", **os.environ}
    code = subprocess.run(COMMAND, env=environment, check=False).returncode
    if code in (1, 3, 4):
        raise AirflowFailException(f"assay: exit code {code}, see the report of the run")
    if code != 0:
        raise RuntimeError(f"assay: exit code {code}, the audit is incomplete")


with DAG(
    dag_id="assay_nightly",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10), "execution_timeout": timedelta(hours=8)},
) as dag:
    PythonOperator(task_id="audit", python_callable=night)
