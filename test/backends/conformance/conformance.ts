import { describe } from 'vitest';
import type { Backend } from '../../../src/backends/backend.ts';
import { contextOf } from './context.ts';
import { checkGroups } from './groups.ts';
import { checkLoadBatch } from './load-batch.ts';
import { checkLocal } from './local.ts';
import { checkLosses } from './losses.ts';
import { checkMultiBiasSink } from './multi-bias-sink.ts';
import { checkPixels } from './pixels.ts';
import { checkPointwise } from './pointwise.ts';
import { checkProducts } from './products.ts';
import { checkSinks } from './sinks.ts';
import { checkTensors } from './tensors.ts';
import { checkProductsOfUnits } from './units.ts';

/** The suite that every backend must pass. Expected values are computed in float64, directly from the formulas in
 *  backend.ts, so that no backend is compared with itself. */
export function describeConformance(name: string, create: () => Backend): void {
  describe(name, () => {
    const context = contextOf(create());
    checkTensors(context);
    checkLoadBatch(context);
    checkProducts(context);
    checkPixels(context);
    checkPointwise(context);
    checkLocal(context);
    checkGroups(context);
    checkMultiBiasSink(context);
    checkProductsOfUnits(context);
    checkLosses(context);
    checkSinks(context);
  });
}
