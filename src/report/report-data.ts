import type { DatasetName, ImageCounts } from '../images.ts';
import type { Environment } from '../runs/environment.ts';
import type { Metrics } from '../training/evaluate.ts';
import type { EpochMetrics } from '../training/progress.ts';

/** Data of a report page, which contains it as JSON. */
export interface ReportData {
  /** Program and version, such as "nn-train 0.1.0". */
  readonly generator: string;
  /** One run, or several to compare. */
  readonly runs: readonly RunReport[];
}

export interface RunReport {
  /** Path of the run directory, as given by the user. */
  readonly name: string;
  /** The name that somebody gave the run. */
  readonly title?: string | undefined;
  readonly state: 'training' | 'stopped' | 'finished';
  /** Command that resumes the run, if it was stopped and saved. */
  readonly resumeCommand?: string | undefined;
  /** The hyperparameters that have an effect. */
  readonly config: Readonly<Record<string, string | number | boolean | null>>;
  readonly dataset: {
    readonly name: DatasetName;
    readonly source: string;
    readonly sha256: string;
    /** Number of images; absent in runs of earlier versions. */
    readonly images?: ImageCounts | undefined;
    readonly classes: readonly string[];
  };
  readonly environment: Environment;
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly stepsPerEpoch: number;
  readonly plannedEpochs: number;
  /** Duration of all completed epochs. */
  readonly seconds: number;
  readonly epochs: readonly EpochMetrics[];
  readonly steps: StepSeries;
  readonly updateRatios: readonly UpdateRatios[];
  /** The epoch with the best validation accuracy; null without validation images. */
  readonly bestEpoch: number | null;
  /** Null during training and if the images are not available. */
  readonly test: TestReport | null;
  /** Null during training, and for a network if the images are not available. */
  readonly pictures: WeightPictures | null;
  /** Files of the run, with hashes that tell two copies apart. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

/** Series over the steps, downsampled to at most a thousand points by averaging neighbours. All arrays have equal length. */
export interface StepSeries {
  /** The last step of each group, counted from 1. */
  readonly step: readonly number[];
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly learningRate: readonly number[];
}

/** ‖ΔW‖₂/‖W‖₂ of one parameter in single steps; about 1e-3 is healthy. Source: CS231n notes, "Neural Networks 3". */
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
  /** The same of scores averaged over several views of each image, if asked for. */
  readonly averaged?: {
    readonly views: number;
    readonly accuracy: number;
    readonly interval: readonly [low: number, high: number];
  };
  /** [C][C]: number of images of class `row` predicted as class `column`. */
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: readonly {
    readonly name: string;
    readonly images: number;
    readonly correct: number;
    readonly interval: readonly [low: number, high: number];
  }[];
  /** Incorrect predictions with the highest probability, highest first. */
  readonly mistakes: readonly {
    /** A PNG as a data: URL. */
    readonly picture: string;
    /** Index in the test set. */
    readonly index: number;
    readonly label: string;
    readonly predicted: string;
    /** Of the predicted class, in [0, 1]. */
    readonly probability: number;
    /** Of the label. */
    readonly labelProbability: number;
  }[];
}

/** Weights as pictures: the ten templates of a linear classifier, or the most used first-layer filters, most used first. */
export interface WeightPictures {
  readonly kind: 'templates' | 'filters';
  readonly pictures: readonly {
    /** A PNG as a data: URL. */
    readonly picture: string;
    readonly name: string;
    /** How often the unit of a filter is active; empty for templates. */
    readonly detail: string;
  }[];
  /** Number of templates or first-layer filters in the model. */
  readonly total: number;
}
