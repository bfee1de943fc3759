#!/usr/bin/env bash
# Redraws the pictures of the README and the docs. Needs CIFAR-10 in ./data or in the cache, and Chromium for the report.
set -euo pipefail
cd "$(dirname "$0")/.."

nn_train="node $PWD/bin/nn-train.js"
repository=$PWD
pictures=$PWD/docs/pictures
images=$($nn_train data path)
cd "$(mktemp -d)"

$nn_train explain product --svg "$pictures/product.svg"

$nn_train explain product --html explorer.html
# Two steps back from all numbers: backward through the gate of the output.
node "$repository/scripts/screenshot.mjs" explorer.html "$pictures/explorer.png" body ArrowLeft ArrowLeft
$nn_train explain --lecture --html lecture.html
node "$repository/scripts/screenshot.mjs" lecture.html#branch "$pictures/lecture.png" '#answer' - 4 Enter

$nn_train --model linear --recipe plain --weight-decay 1 --data "$images" --out runs/smooth
$nn_train weights runs/smooth --png "$pictures/templates.png" --scale 3

$nn_train --model mlp --recipe plain --data "$images" --out runs/mlp
chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,880 \
  --screenshot="$pictures/report.png" "file://$PWD/runs/mlp/report.html"

$nn_train explain --model mlp runs/mlp --data "$images" --html network.html
chromium --headless --no-sandbox --hide-scrollbars --window-size=1200,860 \
  --screenshot="$pictures/network.png" "file://$PWD/network.html"
