#!/usr/bin/env bash
# A sweep of the two-layer network over widths, learning rates and weight decays: one line of JSON for each run,
# appended to results-mlp.jsonl, then a table of that file with the best run first. Any option of nn-train can be
# added, for example:
#
#   scripts/sweep-mlp.sh --data ~/cifar-10-batches-bin --epochs 5
set -euo pipefail

results=results-mlp.jsonl

# A run that diverges must not end the sweep, but Ctrl-C must.
failed() {
  if [ "$1" -ge 128 ]; then exit "$1"; fi
  echo "a run failed with exit code $1; going on" >&2
}

for hidden in 128 512; do
  for lr in 0.02 0.05; do
    for weight_decay in 0.0005 0.005; do
      npx nn-train --model mlp --epochs 3 --hidden "$hidden" --lr "$lr" --weight-decay "$weight_decay" \
        --no-save --quiet --json "$@" >> "$results" || failed "$?"
    done
  done
done
node "$(dirname "$0")/results-table.mjs" "$results" hidden lr weightDecay
