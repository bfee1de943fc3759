import type { Environment } from '../runs/environment.ts';
import type { Metrics } from '../training/evaluate.ts';
import type { EpochMetrics } from '../training/progress.ts';

/** What a report page shows: all of it travels inside the page as JSON. */
export interface ReportData {
  /** The program and its version, "nn-train 0.1.0". */
  readonly generator: string;
  /** One run, or several to be compared. */
  readonly runs: readonly RunReport[];
}

export interface RunReport {
  /** The run directory, as it was named. */
  readonly name: string;
  readonly state: 'training' | 'stopped' | 'finished';
  /** Every hyperparameter that has an effect. */
  readonly config: Readonly<Record<string, string | number | boolean | null>>;
  readonly dataset: {
    readonly name: 'cifar10' | 'synthetic';
    readonly source: string;
    readonly sha256: string;
    readonly classes: readonly string[];
  };
  readonly environment: Environment;
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly stepsPerEpoch: number;
  readonly plannedEpochs: number;
  /** Seconds on all epochs so far. */
  readonly seconds: number;
  readonly epochs: readonly EpochMetrics[];
  readonly steps: StepSeries;
  readonly updateRatios: readonly UpdateRatios[];
  /** The epoch with the best validation accuracy; null without validation images. */
  readonly bestEpoch: number | null;
  /** Null while training, and where the images are not at hand. */
  readonly test: TestReport | null;
  readonly pictures: WeightPictures | null;
  /** The files of the run, for whoever wants to compare two copies. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

/** What happened in the steps, thinned by averaging neighbours to about a thousand points. All arrays of one length. */
export interface StepSeries {
  /** Counted from 1: the last step of each group. */
  readonly step: readonly number[];
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly learningRate: readonly number[];
}

/** ‖ΔW‖/‖W‖ of single steps. About 1e-3 is healthy. Source: CS231n notes, "Neural Networks 3". */
export interface UpdateRatios {
  readonly parameter: string;
  readonly step: readonly number[];
  readonly ratio: readonly number[];
}

export interface TestReport extends Metrics {
  readonly images: number;
  readonly correct: number;
  /** 95 % Wilson score interval of the accuracy. */
  readonly interval: readonly [low: number, high: number];
  /** [C][C]: how many images of class `row` were taken for class `column`. */
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: readonly {
    readonly name: string;
    readonly images: number;
    readonly correct: number;
    readonly interval: readonly [low: number, high: number];
  }[];
  /** The wrong answers with the highest probability, the worst first. */
  readonly mistakes: readonly {
    /** A PNG as a data: address. */
    readonly picture: string;
    /** Row of the test set. */
    readonly index: number;
    readonly label: string;
    readonly predicted: string;
    /** Of the predicted class, in [0, 1]. */
    readonly probability: number;
    /** Of the label. */
    readonly labelProbability: number;
  }[];
}

/** Weights as pictures: the ten templates of the linear classifier, or first-layer filters, the most used first. */
export interface WeightPictures {
  readonly kind: 'templates' | 'filters';
  readonly pictures: readonly {
    /** A PNG as a data: address. */
    readonly picture: string;
    readonly name: string;
    /** How a filter is used; empty for templates. */
    readonly detail: string;
  }[];
  /** How many first-layer filters there are in all. */
  readonly of: number;
}
