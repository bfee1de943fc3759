#!/bin/sh
# Installs the peers of compare.mjs, time-to-accuracy.mjs and sweep.mjs: npm packages, two newer versions of Node.js, and a
# Python environment with PyTorch, NumPy, scikit-learn and Optuna.
set -eu
cd "$(dirname "$0")"
npm install --no-package-lock --no-audit --no-fund
python3 -m venv .venv
.venv/bin/pip install torch numpy scikit-learn optuna
