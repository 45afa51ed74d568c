#!/usr/bin/env bash
# One night of a labelled store: night.sh PIPELINE.yaml FOLDER
# Compares it with the snapshot of the night before, audits it, and leaves the run and its snapshot in FOLDER. A night that was
# killed is gone on with. The exit code is that of the audit: 0 passed, 1 failed, 2 incomplete, 3 nothing audited, 4 usage.
# ASSAY is the command, by default "assay"; every further argument goes to the audit.
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: night.sh PIPELINE.yaml FOLDER [ARGUMENTS...]" >&2
  exit 4
fi
pipeline=$1
folder=$2
shift 2
read -ra assay <<<"${ASSAY:-assay}"
mkdir -p "$folder"

exec 9>"$folder/.lock"
if ! flock -n 9; then
  echo "night.sh: another night is still at work in $folder" >&2
  exit 2
fi

# The first night has none before it: what is there now is what later nights are compared with.
if [ ! -f "$folder/last" ]; then
  [ -f "$folder/first/snapshot.json" ] || "${assay[@]}" snapshot "$pipeline" --out "$folder/first" --progress plain
  echo first >"$folder/last.new" && mv "$folder/last.new" "$folder/last"
fi
last=$(cat "$folder/last")
[ -d "$folder/$last/snapshot" ] && before=$folder/$last/snapshot || before=$folder/$last

resume=()
if [ -f "$folder/current" ] && [ -f "$folder/$(cat "$folder/current")/plan.json" ]; then
  tonight=$(cat "$folder/current")
  resume=(--resume)
else
  tonight=$(date -u +%Y%m%d-%H%M%S)
  echo "$tonight" >"$folder/current.new" && mv "$folder/current.new" "$folder/current"
fi

code=0
"${assay[@]}" audit "$pipeline" --baseline "$before" --run-dir "$folder/$tonight" --progress plain "${resume[@]}" "$@" || code=$?

# Copies of records are not kept from night to night; a run that did not come to its end keeps them, to go on.
if [ -f "$folder/$tonight/report.json" ]; then
  rm -rf "$folder/$tonight/spool" "$folder/current"
  if [ -f "$folder/$tonight/snapshot/snapshot.json" ]; then
    echo "$tonight" >"$folder/last.new" && mv "$folder/last.new" "$folder/last"
  fi
fi
exit "$code"
