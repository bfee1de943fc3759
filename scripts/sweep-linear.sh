#!/usr/bin/env bash
# A sweep of the linear classifier over learning rates and weight decays: one line of JSON for each run, appended to
# results-linear.jsonl, then a table of that file with the best run first. Takes about a minute on the generated images.
# Any option of nn-train can be added, for example:
#
#   scripts/sweep-linear.sh --data ~/cifar-10-batches-bin --epochs 5
set -euo pipefail

results=results-linear.jsonl

# A run that diverges must not end the sweep, but Ctrl-C must.
failed() {
  if [ "$1" -ge 128 ]; then exit "$1"; fi
  echo "a run failed with exit code $1; going on" >&2
}

for lr in 0.001 0.003 0.01; do
  for weight_decay in 0 0.01 0.1; do
    npx nn-train --model linear --epochs 3 --lr "$lr" --weight-decay "$weight_decay" \
      --no-save --quiet --json "$@" >> "$results" || failed "$?"
  done
done
node "$(dirname "$0")/results-table.mjs" "$results" lr weightDecay
