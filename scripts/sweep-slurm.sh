#!/usr/bin/env bash
# Runs the trials of a search as an array of Slurm jobs: each task takes every n-th command of `nn-train sweep --list`.
#
#   sbatch --array=0-7 scripts/sweep-slurm.sh
#
# It appends one line of JSON per trial to a file of its own; print them all, best first, with
#
#   cat results-slurm-*.jsonl > results-slurm.jsonl && node scripts/results-table.mjs results-slurm.jsonl lr weightDecay
#SBATCH --job-name=nn-train
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00
set -euo pipefail

task=${SLURM_ARRAY_TASK_ID:-0}
tasks=${SLURM_ARRAY_TASK_COUNT:-1}

npx nn-train sweep --model linear --search lr --search weight-decay --epochs 5 --trials 64 --method sobol --list "$@" |
  awk -v task="$task" -v tasks="$tasks" 'NR % tasks == task' |
  while IFS= read -r command; do
    echo "$command" >&2
    bash -c "$command --no-save --quiet --json" < /dev/null >> "results-slurm-$task.jsonl" ||
      echo "a run failed with exit code $?; continuing" >&2
  done
