import { afterAll } from 'vitest';
import { createWasm, openWasm, type WasmOptions } from '../../../src/backends/wasm/create.ts';
import { detectEngine } from '../../../src/backends/wasm/node/engine.ts';
import { describeConformance } from '../conformance/conformance.ts';

const engine = detectEngine({ v8Flags: true });

const VARIANTS: Record<string, WasmOptions> = {
  'in int16': { precision: 'int16', threads: 2, engine },
  'in int8': { precision: 'int8', threads: 2, engine },
  'in int8 without products of bytes': { precision: 'int8', threads: 2, engine: { ...engine, int8: false } },
  'in float32': { precision: 'float32', threads: 2, engine },
  'in float32 without fused multiply-add': { precision: 'float32', threads: 2, engine: { ...engine, fma: false } },
  'in int16 on three threads without wide vectors': {
    precision: 'int16',
    threads: 3,
    engine: { ...engine, revectorize: false },
  },
  'without shared memory': { precision: 'int16', engine: { ...engine, threads: false } },
};

for (const [name, options] of Object.entries(VARIANTS)) {
  const backend = await createWasm(options);
  backend.products.usesBytes = options.precision === 'int8' && options.engine!.int8;
  afterAll(() => backend.close());
  describeConformance(`wasm ${name}`, () => backend);
}

const sharer = await createWasm({ precision: 'float32', threads: 2, engine });
const shared = sharer.share([]);
afterAll(() => sharer.close());
for (const precision of ['float32', 'int16', 'int8'] as const) {
  const backend = await openWasm(shared, { precision });
  describeConformance(`wasm in ${precision} in the memory of another`, () => backend);
}
