#!/usr/bin/env bash
# Searches the learning rate and weight decay of the linear classifier with `nn-train sweep`: on all cores, with halving, and
# with three seeds of the best. Started again, it goes on where it was stopped. Accepts options of nn-train, for example:
#
#   scripts/sweep.sh --data ~/cifar-10-batches-bin
set -euo pipefail

sweep=sweeps/linear-lr-weight-decay
if [ -e "$sweep" ]; then
  npx nn-train sweep --resume "$sweep" "$@"
else
  npx nn-train sweep --model linear --search lr --search weight-decay --trials 54 --epochs 9 --halving 3 --seeds 3 \
    --out "$sweep" "$@"
fi
