import type { Backend, NewtonSchulz, Tensor } from '../../backend.ts';
import { newtonSchulzByProducts, normalise } from '../../newton-schulz.ts';
import type { Device } from '../device.ts';
import { NEWTON_SCHULZ_MAX_SIZE, newtonSchulzBytes } from '../kernels/products/newton-schulz.ts';

/** At least as many matrices keep all threads busy, each with matrices of its own. */
const MATRICES_PER_THREAD = 4;

/** Backend.newtonSchulz: enough small matrices are computed one in each task; otherwise the threads share each product. Both give
 *  the same bits. */
export function newtonSchulz(
  backend: Pick<Backend, 'matmul' | 'scale' | 'write'> & { readonly products: { readonly isWide: boolean } },
  device: Device,
  operands: { x: Tensor; count: number; iteration: NewtonSchulz; into: Tensor },
): void {
  const { x, count, iteration, into } = operands;
  const { allocate, read, change } = device.temporary;
  const size = x.shape[1];
  if (size > NEWTON_SCHULZ_MAX_SIZE || count < MATRICES_PER_THREAD * device.threads) {
    newtonSchulzByProducts(backend, operands, device.temporary);
    return;
  }
  const gram = allocate('gram', x.shape);
  normalise(read(x), count, change(gram), change(into));
  const [a, b, c] = iteration.coefficients;
  device.run('newtonSchulz', count, {
    gram: device.address(gram),
    root: device.address(into),
    size,
    ...{ a, b, c, steps: iteration.steps },
    memory: device.scratch('matrices', newtonSchulzBytes(size) * device.threads),
    isWide: Number(backend.products.isWide),
  });
}
