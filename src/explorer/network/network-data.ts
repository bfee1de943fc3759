import type { Layout } from '../../drawing/layout.ts';
import type { GateCost, WireStatistics } from '../../explain/model-graph.ts';

/** What a page of the training graph of a network contains, as JSON. */
export interface NetworkData {
  /** Name and version of the program that wrote the page. */
  readonly generator: string;
  readonly title: string;
  /** What was measured, and the cost of a step: terms and their texts. */
  readonly facts: readonly (readonly [term: string, text: string])[];
  /** Class names, in the order of the logits. */
  readonly classes: readonly string[];
  readonly loss: 'softmax' | 'hinge';
  /** Images of the batch. */
  readonly batchSize: number;
  /** Drawing of the graph; the key of a wire is its name. */
  readonly layout: Layout;
  readonly wires: readonly NetworkWire[];
  readonly gates: readonly GateCost[];
  readonly examples: readonly Example[];
}

/** A wire and its numbers. */
export interface NetworkWire extends WireStatistics {
  /** Null for labels. */
  readonly value: Distribution | null;
  /** Null if no gradient flows. */
  readonly gradient: Distribution | null;
  /** For the activations of hidden units. */
  readonly units?: UnitActivity;
  /** For the weights that see the images. */
  readonly filters?: Filters;
}

/** How the numbers of a tensor are distributed. */
export interface Distribution {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Share of the numbers that are exactly 0, in [0, 1]. */
  readonly zeroShare: number;
  /** The histogram, of all other numbers but the outermost: bins of equal width from `from` to `to`. */
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
  /** Share of all numbers that lie outside of the bins. */
  readonly outsideShare: number;
}

/** What hidden units do on the images of a batch. */
export interface UnitActivity {
  readonly count: number;
  /** Units that are 0 for every image: the first of them, by number. */
  readonly dead: readonly Unit[];
  readonly deadCount: number;
  /** Units by the share of the images for which they are not 0: bins of equal width from 0 to 1. */
  readonly counts: readonly number[];
}

/** A hidden unit and the filter that feeds it. */
export interface Unit {
  readonly unit: number;
  readonly filter: number;
}

/** Weights that see the images, as pictures. */
export interface Filters {
  readonly kind: 'templates' | 'filters';
  /** Filters of a layer without receptive fields see the whole image. */
  readonly perField: number;
  readonly total: number;
  /** Templates by class; or filters, the most used first. */
  readonly shown: readonly Filter[];
}

export interface Filter {
  /** Row of the weight. */
  readonly row: number;
  readonly weights: PixelMap;
  readonly gradient: PixelMap;
}

/** Signed numbers of the pixels of a square, by plane, row and column, rounded to 16 bits. */
export interface PixelMap {
  /** Side of the square, in pixels. */
  readonly size: number;
  /** Its place in an image. */
  readonly x: number;
  readonly y: number;
  /** What 1 stands for. */
  readonly scale: number;
  /** Int16Array [3 size²], little-endian, in base64. */
  readonly data: string;
}

/** An image of the batch, and what the network makes of it, without dropout. */
export interface Example {
  /** Uint8Array [3072] in base64: the image as the network saw it. */
  readonly pixels: string;
  readonly label: number;
  readonly scores: readonly number[];
  readonly loss: number;
  /** Gradient of each score by the pixels. */
  readonly scoreGradients: readonly PixelMap[];
  readonly lossGradient: PixelMap;
}
