#!/usr/bin/env bash
# One share of an audit on a shared folder: pod.sh PIPELINE.yaml RUN_DIR [ARGUMENTS OF PLAN...]
# Every pod of job.yaml runs it, all at the same time. SHARES is how many there are, JOB_COMPLETION_INDEX (from 0) which one this is.
# The first plans, merges and reports; each waits for the others where it needs what they did. A pod that is started again goes on
# where it stopped. ASSAY is the command, by default "assay". The exit code of the first is that of the audit.
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: pod.sh PIPELINE.yaml RUN_DIR [ARGUMENTS OF PLAN...]" >&2
  exit 4
fi
pipeline=$1 run=$2 share=$((JOB_COMPLETION_INDEX + 1))
shift 2
read -ra assay <<<"${ASSAY:-assay}"
marks=$run/shares
mkdir -p "$marks"

is_first() { [ "$share" -eq 1 ]; }
wait_for() { until [ -f "$1" ]; do sleep "${WAIT_SECONDS:-5}"; done; }
everyone() { # has done this step
  touch "$marks/$1-$share"
  if is_first; then for ((i = 1; i <= SHARES; i++)); do wait_for "$marks/$1-$i"; done; fi
}
read_share() { "${assay[@]}" "$@" --run-dir "$run" --shard "$share/$SHARES" --progress plain; }

if is_first && [ ! -f "$run/plan.json" ]; then "${assay[@]}" plan "$pipeline" --run-dir "$run" --progress plain "$@"; fi
wait_for "$run/plan.json"
levels=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).levels.length' "$run/plan.json")

for ((level = 0; level < levels; level++)); do
  read_share fit --level "$level"
  everyone "fit-$level"
  if is_first; then "${assay[@]}" merge --run-dir "$run" --level "$level"; fi
  wait_for "$run/state/summary-$level.safetensors"
done
read_share score
everyone score
if is_first; then "${assay[@]}" report --run-dir "$run" --progress plain; fi
