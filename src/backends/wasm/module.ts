import { type MemoryLimits, ModuleBuilder } from './assembler/assembler.ts';
import { addJobs } from './jobs.ts';
import { crop } from './kernels/crop.ts';
import { loadBatch } from './kernels/images.ts';
import { addKernel, type Kernel } from './kernels/kernel.ts';
import {
  countCorrect,
  hinge,
  hingeDerivative,
  softmaxCrossEntropy,
  softmaxCrossEntropyDerivative,
} from './kernels/losses.ts';
import { multiBias, multiBiasDerivative } from './kernels/multi-bias.ts';
import {
  activation,
  activationDerivative,
  add,
  deliver,
  dropout,
  scale,
  sumRows,
  sumRowsWherePositive,
  sumSquares,
} from './kernels/pointwise.ts';
import { multiply } from './kernels/products/multiply.ts';
import { addSymmetricProduct, newtonSchulz } from './kernels/products/newton-schulz.ts';
import { addPack, pack } from './kernels/products/pack.ts';
import { peak } from './kernels/products/peak.ts';
import { quantise } from './kernels/products/quantise.ts';
import { addTiles } from './kernels/products/tile.ts';
import { transpose } from './kernels/products/transpose.ts';
import { addUnitTiles, multiplyByUnits } from './kernels/products/units/by-units.ts';
import { multiplyFromUnits } from './kernels/products/units/from-units.ts';
import { multiplyThroughUnits } from './kernels/products/units/through-units.ts';
import { addSink } from './kernels/sink.ts';

export const KERNELS = {
  loadBatch,
  crop,
  transpose,
  pack,
  quantise,
  multiply,
  multiplyFromUnits,
  multiplyByUnits,
  multiplyThroughUnits,
  newtonSchulz,
  add,
  scale,
  deliver,
  activation,
  activationDerivative,
  multiBias,
  multiBiasDerivative,
  dropout,
  sumRows,
  sumRowsWherePositive,
  sumSquares,
  softmaxCrossEntropy,
  softmaxCrossEntropyDerivative,
  hinge,
  hingeDerivative,
  countCorrect,
  peak,
} as const satisfies Record<string, Kernel>;

export type KernelName = keyof typeof KERNELS;

/** The compiled code of the backend. */
export interface Program {
  readonly module: WebAssembly.Module;
  /** The place of each kernel in the function table. */
  readonly indices: Readonly<Record<KernelName, number>>;
}

export interface ModuleOptions {
  readonly memory: MemoryLimits;
  /** Whether products of floats use fused multiply-add (relaxed SIMD). */
  readonly fma: boolean;
  /** Whether there are products of bytes (relaxed SIMD). */
  readonly int8: boolean;
  /** A different number gives a different module, with the same kernels. */
  readonly attempt?: number;
}

/** Assembles and compiles all code of the backend. */
export function compile({ memory, fma, int8, attempt = 0 }: ModuleOptions): Program {
  const module = new ModuleBuilder();
  const floats = fma ? 'float32-fma' : 'float32';
  const sink = addSink(module);
  const tiles = {
    float: addTiles(module, floats),
    int16: addTiles(module, 'int16'),
    ...(int8 && { int8: addTiles(module, 'int8') }),
  };
  const shared = {
    sink,
    tiles,
    unitTiles: { plus: addUnitTiles(module, floats, '+'), minus: addUnitTiles(module, floats, '−') },
    symmetricProduct: addSymmetricProduct(module, tiles),
    pack: addPack(module, { int8 }),
  };
  const entries = Object.entries(KERNELS).map(([name, kernel]) => [name, addKernel(module, kernel, shared)]);
  addJobs(module, memory.shared);
  for (let i = 0; i < attempt; i++) module.function([], () => {});
  return { module: new WebAssembly.Module(module.encode(memory)), indices: Object.fromEntries(entries) };
}
