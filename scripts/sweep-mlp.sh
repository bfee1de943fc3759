#!/usr/bin/env bash
# A sweep of the two-layer network: learning rate, weight decay and width, one line of JSON for each run in
# results-mlp.jsonl, then a table with the best first. Any option of nn-train can be added, for example:
#
#   scripts/sweep-mlp.sh --data ~/cifar-10-batches-bin --epochs 5
set -euo pipefail

results=results-mlp.jsonl
for hidden in 32 64; do
  for lr in 0.02 0.05; do
    for weight_decay in 0.0005 0.005; do
      npx nn-train --model mlp --epochs 3 --hidden "$hidden" --lr "$lr" --weight-decay "$weight_decay" \
        --no-save --quiet --json "$@" >> "$results"
    done
  done
done
node "$(dirname "$0")/results-table.mjs" "$results" hidden lr weightDecay
