#!/usr/bin/env bash
# Sweeps the linear classifier over learning rates and weight decays: appends one line of JSON per run to
# results-linear.jsonl, then prints that file as a table, best run first. Takes less than a minute. Accepts any option of
# nn-train, for example:
#
#   scripts/sweep-linear.sh --data ~/cifar-10-batches-bin --epochs 5
set -euo pipefail

results=results-linear.jsonl

# Continues after a run that diverged; Ctrl-C ends the sweep.
failed() {
  if [ "$1" -ge 128 ]; then exit "$1"; fi
  echo "a run failed with exit code $1; continuing" >&2
}

for lr in 0.001 0.003 0.01; do
  for weight_decay in 0 0.01 0.1; do
    npx nn-train --model linear --epochs 3 --lr "$lr" --weight-decay "$weight_decay" \
      --no-save --quiet --json "$@" >> "$results" || failed "$?"
  done
done
node "$(dirname "$0")/results-table.mjs" "$results" lr weightDecay
