import type { Example } from './example.ts';
import { NETWORKS } from './networks.ts';
import { PATTERNS } from './patterns.ts';
import { PERCEPTRON } from './perceptron.ts';
import { SCALARS } from './scalars.ts';
import { VECTORS } from './vectors.ts';

/** The worked examples, in the order of the lecture. */
export const EXAMPLES: readonly Example[] = [...SCALARS, ...PATTERNS, ...VECTORS, ...NETWORKS, PERCEPTRON];
