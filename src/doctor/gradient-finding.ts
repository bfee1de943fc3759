import { plural } from '../format.ts';
import type { GradientCheck } from '../gradcheck/check-gradients.ts';
import type { Finding } from './finding.ts';

/** Sums the gradient check up as one finding. */
export function judgeGradients({ parameters, gates, passed }: GradientCheck): Finding {
  const all = [...parameters, ...gates];
  const worst = Math.max(...all.map(({ relativeError }) => relativeError ?? 0));
  const kinks = all.reduce((sum, { kinks }) => sum + kinks, 0);
  const faults = gates
    .filter(({ fault }) => fault !== null)
    .map(({ gate, input }) => `${gate} with respect to ${input}`);
  const wrong = parameters.filter(({ verdict }) => verdict === 'wrong' || verdict === 'suspicious');
  const finding = {
    name: 'gradients',
    evidence:
      `${plural(parameters.length, 'parameter')} and ${plural(gates.length, 'gate input')} against central differences: ` +
      `relative error at most ${worst.toExponential(1)}${kinks > 0 ? `, ${plural(kinks, 'kink')} skipped` : ''}`,
    numbers: {
      worst: Number.isFinite(worst) ? worst : null,
      parameters: parameters.length,
      gates: gates.length,
      kinks,
    },
  };
  if (passed) return { ...finding, verdict: 'ok', advice: null };
  if (faults.length === 0 && wrong.length === 0) {
    const advice = 'some could not be compared because the weights are too small; run the gradient check to list them';
    return { ...finding, verdict: 'warning', advice };
  }
  const where =
    faults.length > 0
      ? `the backward of ${[...new Set(faults)].join(', ')}`
      : wrong.map(({ parameter }) => parameter).join(', ');
  return { ...finding, verdict: 'bad', advice: `wrong: ${where}; run the gradient check to see the numbers` };
}
