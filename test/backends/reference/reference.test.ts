import { describe, expect, it } from 'vitest';
import { ShapeError, type Tensor } from '../../../src/backends/backend.ts';
import { ReferenceBackend } from '../../../src/backends/reference/reference.ts';
import { describeConformance } from '../conformance/conformance.ts';

describeConformance('reference in float32', () => new ReferenceBackend('float32'));
describeConformance('reference in float64', () => new ReferenceBackend('float64'));
describeConformance('reference in int16', () => new ReferenceBackend('float32', 'int16'));
describeConformance('reference in int8', () => new ReferenceBackend('float32', 'int8'));

describe('ReferenceBackend', () => {
  it('rejects int16 with float64', () => {
    expect(() => new ReferenceBackend('float64', 'int16')).toThrow(TypeError);
  });

  const backend = new ReferenceBackend('float64');
  const tensor = (shape: number[], values: number[]): Tensor => {
    const result = backend.allocate(shape);
    backend.write(result, values);
    return result;
  };

  it('applies a function elementwise to tensors and scalars, into any sink', async () => {
    const [x, y] = [tensor([2, 2], [1, 2, 3, 4]), tensor([2, 2], [10, 20, 30, 40])];
    const target = tensor([2, 2], [1, 1, 1, 1]);
    backend.elementwise((a, b, c) => a * b + c, [x, tensor([], [2]), y], { kind: 'add', tensor: target });
    expect(Array.from(await backend.read(target))).toEqual([13, 25, 37, 49]);
    const wrong = { kind: 'store', tensor: backend.allocate([4]) } as const;
    expect(() => backend.elementwise((a) => a, [x], wrong)).toThrow('operand 1 has shape [2, 2], wanted [4]');
  });

  it('transposes and sums', async () => {
    const x = tensor([2, 3], [1, 2, 3, 4, 5, 6]);
    const [transposed, total] = [backend.allocate([3, 2]), backend.allocate([])];
    backend.transpose(x, { kind: 'store', tensor: transposed });
    backend.sum(x, { kind: 'store', tensor: total });
    expect(Array.from(await backend.read(transposed))).toEqual([1, 4, 2, 5, 3, 6]);
    expect(Array.from(await backend.read(total))).toEqual([21]);
    expect(() => backend.transpose(tensor([2], [1, 2]), { kind: 'store', tensor: transposed })).toThrow(ShapeError);
  });
});
