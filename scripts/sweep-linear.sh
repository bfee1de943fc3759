#!/usr/bin/env bash
# Sweeps the linear classifier over learning rates and weight decays, in a loop of your own: appends one line of JSON per run to
# results-linear.jsonl, then prints that file as a table, best run first. Runs whose line is there already are skipped, so the
# script can be stopped and started again. Takes less than a minute. Accepts any option of nn-train, for example:
#
#   scripts/sweep-linear.sh --data ~/cifar-10-batches-bin --epochs 5
#
# scripts/sweep.sh does the same with `nn-train sweep`, on all cores.
set -euo pipefail

results=results-linear.jsonl
table="$(dirname "$0")/results-table.mjs"

# Continues after a run that diverged; Ctrl-C ends the sweep.
failed() {
  if [ "$1" -ge 128 ]; then exit "$1"; fi
  echo "a run failed with exit code $1; continuing" >&2
}

for lr in 0.001 0.003 0.01; do
  for weight_decay in 0 0.01 0.1; do
    if node "$table" --has "$results" "lr=$lr" "weightDecay=$weight_decay"; then continue; fi
    echo "lr $lr, weight decay $weight_decay" >&2
    npx nn-train --model linear --epochs 3 --lr "$lr" --weight-decay "$weight_decay" \
      --no-save --quiet --json "$@" >> "$results" || failed "$?"
  done
done
node "$table" "$results" lr weightDecay
