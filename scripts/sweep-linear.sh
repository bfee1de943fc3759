#!/usr/bin/env bash
# A sweep of the linear classifier: every pair of a learning rate and a weight decay, one line of JSON for each in
# results-linear.jsonl, then a table with the best first. Takes about two minutes on the generated images; any option
# of nn-train can be added, for example:
#
#   scripts/sweep-linear.sh --data ~/cifar-10-batches-bin --epochs 5
set -euo pipefail

results=results-linear.jsonl
for lr in 0.001 0.003 0.01; do
  for weight_decay in 0 0.01 0.1; do
    npx nn-train --model linear --epochs 3 --lr "$lr" --weight-decay "$weight_decay" \
      --no-save --quiet --json "$@" >> "$results"
  done
done
node "$(dirname "$0")/results-table.mjs" "$results" lr weightDecay
