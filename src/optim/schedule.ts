export interface ScheduleConfig {
  /** Peak learning rate η. */
  readonly lr: number;
  readonly schedule: 'constant' | 'step' | 'linear' | 'cosine';
  /** Fraction of all steps over which the rate rises from 0, in [0, 1). */
  readonly warmup: number;
}

/** Learning rate of a step, counted from 0, out of `steps`. With the peak η, W = warmup · steps, and
 *  p = (step − W)/(steps − W), the fraction completed after the warm-up:
 *
 *  - warm-up, step < W: η · (step + 1)/W, at most η
 *  - `constant`: η
 *  - `step`: η, η/10 from p = 1/2, η/100 from p = 3/4
 *  - `linear`: η · (1 − p)
 *  - `cosine`: η · (1 + cos πp)/2. Source: I. Loshchilov and F. Hutter, "SGDR" (2017).
 *
 *  Rounded to float32, so that differences between JavaScript engines in the last bit of the cosine do not reach the
 *  weights. */
export function learningRateAt(step: number, steps: number, config: ScheduleConfig): number {
  const { lr: learningRate, schedule, warmup } = config;
  const warmupSteps = warmup * steps;
  if (step < warmupSteps) return Math.fround(learningRate * Math.min(1, (step + 1) / warmupSteps));
  const p = (step - warmupSteps) / (steps - warmupSteps);
  switch (schedule) {
    case 'constant':
      return Math.fround(learningRate);
    case 'step':
      return Math.fround(p < 0.5 ? learningRate : p < 0.75 ? learningRate / 10 : learningRate / 100);
    case 'linear':
      return Math.fround(learningRate * (1 - p));
    case 'cosine':
      return Math.fround((learningRate * (1 + Math.cos(Math.PI * p))) / 2);
  }
}
