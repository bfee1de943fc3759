#!/usr/bin/env bash
# Sweeps the two-layer network over widths, learning rates and weight decays, in a loop of your own: appends one line of JSON per
# run to results-mlp.jsonl, then prints that file as a table, best run first. Runs whose line is there already are skipped.
# Accepts any option of nn-train, for example:
#
#   scripts/sweep-mlp.sh --data ~/cifar-10-batches-bin --epochs 5
set -euo pipefail

results=results-mlp.jsonl
table="$(dirname "$0")/results-table.mjs"

# Continues after a run that diverged; Ctrl-C ends the sweep.
failed() {
  if [ "$1" -ge 128 ]; then exit "$1"; fi
  echo "a run failed with exit code $1; continuing" >&2
}

for hidden in 128 512; do
  for lr in 0.02 0.05; do
    for weight_decay in 0.0005 0.005; do
      if node "$table" --has "$results" "hidden=$hidden" "lr=$lr" "weightDecay=$weight_decay"; then continue; fi
      echo "hidden $hidden, lr $lr, weight decay $weight_decay" >&2
      npx nn-train --model mlp --recipe plain --epochs 3 --hidden "$hidden" --lr "$lr" --weight-decay "$weight_decay" \
        --no-save --quiet --json "$@" >> "$results" || failed "$?"
    done
  done
done
node "$table" "$results" hidden lr weightDecay
