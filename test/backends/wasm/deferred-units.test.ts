import { afterAll, describe, expect, it } from 'vitest';
import { createWasm } from '../../../src/backends/wasm/create.ts';
import { asWasmTensor } from '../../../src/backends/wasm/tensor.ts';

describe('units that are not computed before something needs them', async () => {
  const backend = await createWasm({ precision: 'float32', threads: 2 });
  afterAll(() => backend.close());

  const filled = (shape: number[], value: number) => {
    const tensor = backend.allocate(shape);
    backend.write(tensor, new Float32Array(shape.reduce((product, length) => product * length, 1)).fill(value));
    return tensor;
  };
  const units = () => {
    const [x, bias, y] = [filled([2, 4], 3), filled([8], 1), backend.allocate([2, 8])];
    backend.multiBias(x, bias, y);
    return { x, y };
  };
  const isPending = (tensor: ReturnType<typeof filled>) => asWasmTensor(tensor).storage.deferred !== undefined;

  it('are left to products, and computed for any other use', async () => {
    const { y } = units();
    backend.matmul(y, filled([3, 8], 1), { kind: 'store', tensor: backend.allocate([2, 3]) }, { transposeB: true });
    backend.matmul(filled([2, 3], 1), y, { kind: 'store', tensor: backend.allocate([3, 8]) }, { transposeA: true });
    expect(isPending(y)).toBe(true);
    expect(Array.from(await backend.read(y))).toEqual([4, 4, 4, 4, 0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0]);
    expect(isPending(y)).toBe(false);
  });

  it('are lost when their values change, and say so', async () => {
    const { x, y } = units();
    backend.write(x, new Float32Array(8));
    await expect(backend.read(y)).rejects.toThrow('the values of multiBias changed before its units were used');
    const weight = filled([3, 8], 1);
    const into = { kind: 'store', tensor: backend.allocate([2, 3]) } as const;
    expect(() => backend.matmul(units().y, weight, into, { transposeB: true })).not.toThrow();
    const lost = units();
    backend.write(lost.x, new Float32Array(8));
    expect(() => backend.matmul(lost.y, weight, into, { transposeB: true })).toThrow('changed before its units');
  });

  it('may be overwritten after their values have changed', async () => {
    const { x, y } = units();
    backend.write(x, new Float32Array(8));
    backend.write(y, new Float32Array(16).fill(5));
    expect(Array.from(await backend.read(y))).toEqual(Array(16).fill(5));
    backend.multiBias(x, filled([8], 2), y);
    expect(Array.from(await backend.read(y))).toEqual(Array(16).fill(2));
    const lost = units();
    backend.write(lost.x, new Float32Array(8));
    backend.activation('relu', filled([2, 8], 6), lost.y);
    expect(Array.from(await backend.read(lost.y))).toEqual(Array(16).fill(6));
  });

  it('are lost for what adds to them, too', () => {
    const { x, y } = units();
    backend.write(x, new Float32Array(8));
    expect(() => backend.deliver(filled([2, 8], 1), { kind: 'add', tensor: y })).toThrow('changed before its units');
  });

  it('stay when a call that would replace them is rejected', async () => {
    const { y } = units();
    expect(() => backend.multiBias(backend.allocate([2, 4], 'label'), filled([8], 1), y)).toThrow(TypeError);
    expect(Array.from(await backend.read(y)).slice(0, 8)).toEqual([4, 4, 4, 4, 0, 0, 0, 0]);
    expect(() => backend.multiBias(filled([2, 4], 1), filled([8], 1), backend.allocate([2, 8], 'label'))).toThrow(
      TypeError,
    );
  });

  it('are computed before they are cropped', async () => {
    const [x, bias, images] = [filled([1, 768], 1), filled([3072], 0), backend.allocate([1, 3072])];
    backend.multiBias(x, bias, images);
    const fields = backend.allocate([1, 3072]);
    backend.crop(images, { size: 16, stride: 16, mirrored: false }, fields);
    const values = await backend.read(fields);
    expect(values.filter((value) => value === 1)).toHaveLength(1536);
  });
});
