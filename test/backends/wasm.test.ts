import { createWasm } from '../../src/backends/wasm/create.ts';
import { describeConformance } from './conformance/conformance.ts';

for (const precision of ['float32', 'int16'] as const) {
  const backend = await createWasm({ precision, threads: 2 });
  describeConformance(`wasm in ${precision}`, () => backend);
}
