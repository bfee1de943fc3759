#!/usr/bin/env bash
# Redraws the pictures of the README and the docs. Needs CIFAR-10 in ./data or in the cache.
set -euo pipefail
cd "$(dirname "$0")/.."

run=$(mktemp -d)/smooth
node bin/nn-train.js explain product --svg docs/pictures/product.svg
node bin/nn-train.js --model linear --weight-decay 1 --dataset cifar10 --out "$run" "$@"
node bin/nn-train.js weights "$run" --png docs/pictures/templates.png --scale 3
