import type { Groups, Tensor } from '../backend.ts';
import type { Matrix } from './matmul.ts';
import { type Values, valuesOf } from './tensor.ts';

type Product = (a: Matrix, b: Matrix, bias: Values | undefined, c: Values) => void;

/** One operand: its tensor, and whether each of its matrices is transposed. */
interface Operand {
  readonly tensor: Tensor;
  readonly transposed: boolean;
}

/** Multiplies group by group: copies each pair of matrices, multiplies them and copies the result to its place. */
export function multiplyGroups(
  product: Product,
  [a, b]: readonly [Operand, Operand],
  { groups, bias, target }: { groups: Groups; bias: Values | undefined; target: Values },
): void {
  for (let p = 0; p < groups.count; p++) {
    const left = matrixOf(a, groups.a, groups.count, p);
    const right = matrixOf(b, groups.b, groups.count, p);
    const [M, N] = [left.rows, right.columns];
    const result = new Float64Array(M * N);
    const isBeside = groups.into === 'beside';
    product(left, right, isBeside ? bias?.subarray(p * N, (p + 1) * N) : bias, result);
    for (let i = 0; i < M; i++) {
      const at = isBeside ? i * groups.count * N + p * N : (p * M + i) * N;
      target.set(result.subarray(i * N, (i + 1) * N), at);
    }
  }
}

/** Copies matrix p of a tensor. */
function matrixOf({ tensor, transposed }: Operand, arrangement: Groups['a'], count: number, p: number): Matrix {
  const isBeside = arrangement === 'beside';
  const [rows, columns] = isBeside
    ? [tensor.shape[0], tensor.shape[1] / count]
    : [tensor.shape[0] / count, tensor.shape[1]];
  const from = valuesOf(tensor);
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const at = isBeside ? i * tensor.shape[1] + p * columns : (p * rows + i) * columns;
    values.set(from.subarray(at, at + columns), i * columns);
  }
  return transposed ? { values, rows: columns, columns: rows, transposed } : { values, rows, columns, transposed };
}
