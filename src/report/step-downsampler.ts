import type { StepRecord } from '../training/progress.ts';
import type { StepSeries, UpdateRatios } from './report-data.ts';

/** Maximum number of points. Once a run has this many steps, it has at least half as many points. */
const MAX_POINTS = 1000;

/** Sums over neighbouring steps. */
interface Group {
  /** The last one. */
  step: number;
  count: number;
  loss: number;
  accuracy: number;
  learningRate: number;
}

/** Downsamples the steps of a run as they arrive, in constant memory. Each point is the mean of the same number of steps,
 *  a power of two. The sparse update ratios are all kept. */
export class StepDownsampler {
  #groups: Group[] = [];
  #groupSize = 1;
  readonly #ratios = new Map<string, { step: number[]; ratio: number[] }>();

  /** Adds the next step; steps must be added in order. */
  add({ step, loss, accuracy, learningRate, updateRatios }: StepRecord): void {
    const last = this.#groups.at(-1);
    if (last && last.count < this.#groupSize) merge(last, { step, count: 1, loss, accuracy, learningRate });
    else this.#groups.push({ step, count: 1, loss, accuracy, learningRate });
    if (this.#groups.length > MAX_POINTS) this.#halve();
    for (const [parameter, ratio] of Object.entries(updateRatios ?? {})) this.#addRatio(parameter, step, ratio);
  }

  get series(): StepSeries {
    const mean = (name: 'loss' | 'accuracy' | 'learningRate') =>
      this.#groups.map((group) => Number((group[name] / group.count).toPrecision(6)));
    return {
      step: this.#groups.map(({ step }) => step),
      loss: mean('loss'),
      accuracy: mean('accuracy'),
      learningRate: mean('learningRate'),
    };
  }

  get updateRatios(): UpdateRatios[] {
    return Array.from(this.#ratios, ([parameter, { step, ratio }]) => ({
      parameter,
      step: [...step],
      ratio: [...ratio],
    }));
  }

  /** Merges every two neighbouring groups. */
  #halve(): void {
    this.#groupSize *= 2;
    this.#groups = this.#groups.filter((group, i, groups) => {
      if (i % 2 === 0 && i + 1 < groups.length) merge(group, groups[i + 1]);
      return i % 2 === 0;
    });
  }

  #addRatio(parameter: string, step: number, ratio: number): void {
    const series = this.#ratios.get(parameter) ?? { step: [], ratio: [] };
    series.step.push(step);
    series.ratio.push(ratio);
    this.#ratios.set(parameter, series);
  }
}

function merge(group: Group, next: Group): void {
  group.step = next.step;
  group.count += next.count;
  group.loss += next.loss;
  group.accuracy += next.accuracy;
  group.learningRate += next.learningRate;
}
