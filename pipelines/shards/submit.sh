#!/usr/bin/env bash
# An audit as Slurm jobs on a shared folder: submit.sh PIPELINE.yaml RUN_DIR SHARES [ARGUMENTS OF PLAN...]
# Plans here, then submits the reads as job arrays and what lies between them, each after the one before. Called again on the same
# RUN_DIR it goes on: what is done is not done again. ASSAY is the command, by default "assay"; SBATCH_* sets partition and the like.
set -euo pipefail
if [ $# -lt 3 ] || ! [[ $3 =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: submit.sh PIPELINE.yaml RUN_DIR SHARES [ARGUMENTS OF PLAN...]" >&2
  exit 4
fi
pipeline=$1 run=$(realpath -m "$2") shares=$3
shift 3
read -ra assay <<<"${ASSAY:-assay}"
job=$(dirname "$(realpath "$0")")/assay.sbatch

[ -f "$run/plan.json" ] || "${assay[@]}" plan "$pipeline" --run-dir "$run" --progress plain "$@" >&2
levels=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).levels.length' "$run/plan.json")
mkdir -p "$run/logs"

last=
submit() { # array or "", then the step
  local array=$1
  shift
  last=$(sbatch --parsable --job-name="assay-$1" --output="$run/logs/%x-%A-%a.log" ${array:+--array="$array"} \
    ${last:+--dependency="afterok:$last" --kill-on-invalid-dep=yes} "$job" "$run" "$shares" "$@")
  last=${last%%;*}
  echo "$last: $*"
}
for ((level = 0; level < levels; level++)); do
  submit "1-$shares" fit "$level"
  submit "" merge "$level"
done
submit "1-$shares" score
submit "" report
