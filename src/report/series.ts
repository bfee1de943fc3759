import type { StepRecord } from '../training/progress.ts';
import type { StepSeries, UpdateRatios } from './report-data.ts';

/** A run of any length makes at most so many points, and at least half of them once it has as many steps. */
const MOST_POINTS = 1000;

/** Some neighbouring steps: sums over them, and the number of the last one. */
interface Group {
  step: number;
  count: number;
  loss: number;
  accuracy: number;
  learningRate: number;
}

/** Thins the steps of a run as they come: each point is the mean over as many steps, a power of two. It takes no more
 *  memory for a longer run. */
export class StepThinner {
  #groups: Group[] = [];
  #groupSize = 1;
  readonly #ratios = new Map<string, { step: number[]; ratio: number[] }>();

  /** Steps come in their order. */
  add({ step, loss, accuracy, learningRate, updateRatios }: StepRecord): void {
    const last = this.#groups.at(-1);
    if (last && last.count < this.#groupSize) merge(last, { step, count: 1, loss, accuracy, learningRate });
    else this.#groups.push({ step, count: 1, loss, accuracy, learningRate });
    if (this.#groups.length > MOST_POINTS) this.#halve();
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

  /** Makes one group of every two. */
  #halve(): void {
    this.#groupSize *= 2;
    this.#groups = this.#groups.filter((group, i, groups) => {
      if (i % 2 === 0 && i + 1 < groups.length) merge(group, groups[i + 1]);
      return i % 2 === 0;
    });
  }

  #addRatio(parameter: string, step: number, ratio: number): void {
    const known = this.#ratios.get(parameter) ?? { step: [], ratio: [] };
    known.step.push(step);
    known.ratio.push(ratio);
    this.#ratios.set(parameter, known);
  }
}

function merge(group: Group, next: Group): void {
  group.step = next.step;
  group.count += next.count;
  group.loss += next.loss;
  group.accuracy += next.accuracy;
  group.learningRate += next.learningRate;
}
