import { cohortSize } from './definition.ts';
import { MAX_FINALISTS, type Plan } from './plan.ts';

/** Epochs of a sweep that are trained, and those of the whole, as far as it is known. */
export function workloadOf(plan: Plan): { done: number; total: number } {
  const { rungs, seeds } = plan.definition;
  const epochsOf = (rung: number) => rungs[rung] - (rungs[rung - 1] ?? 0);
  const repeated = plan.trials.filter(({ twin, number }) => twin.number !== number).length;
  let [done, total] = [0, 0];
  for (const [rung, members] of membersByRung(plan, plan.total - repeated).entries()) {
    total += members * epochsOf(rung);
  }
  for (const [trial, rung] of plan.standings) {
    for (let reached = 0; reached <= rung; reached++) if (plan.outcomeOf(trial, reached)) done += epochsOf(reached);
  }
  if (seeds === 1) return { done, total };
  const last = rungs.length - 1;
  const finalists = plan.finalists ?? [];
  const more = (plan.finalists?.length ?? Math.min(MAX_FINALISTS, plan.total)) * (seeds - 1);
  for (const trial of finalists) {
    done +=
      plan
        .seedsOf(trial)
        .slice(1)
        .filter((seed) => plan.outcomeOf(trial, last, seed)).length * rungs[last];
  }
  return { done, total: total + more * rungs[last] };
}

/** Number of trials on each rung, if none diverges. */
function membersByRung(plan: Plan, trials: number): number[] {
  const { halving, rungs } = plan.definition;
  const size = cohortSize(plan.definition);
  const counts = rungs.map(() => 0);
  for (let left = trials; left > 0; left -= size) {
    for (let rung = 0, members = Math.min(size, left); rung < rungs.length; rung++) {
      counts[rung] += members;
      members = Math.ceil(members / (halving ?? 1));
    }
  }
  return counts;
}
