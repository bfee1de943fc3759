import type { Activation } from '../../backend.ts';
import type { FunctionBuilder, Local } from '../assembler/assembler.ts';
import { call, f32, f32x4, i32, i32x4, type V128, v128 } from '../assembler/instructions.ts';
import { hash32, sigmoid, tanh } from './functions.ts';
import { type Access, type KernelContext, kernel, loop, vectorised, ZERO } from './kernel.ts';

/** Elements per task of an elementwise kernel. */
export const CHUNK = 1024;
/** Bytes per thread to buffer a chunk of a result before it goes to the sink. */
export const CHUNK_BYTES = 4 * CHUNK;

const LEAKY_SLOPE = 0.01;
export const ACTIVATION_CODE = { relu: 0, 'leaky-relu': 1, sigmoid: 2, tanh: 3 } as const satisfies Record<
  Activation,
  number
>;

/** φ(x), and φ′(x) as a function of y = φ(x). All propagate NaN. */
const ACTIVATIONS: Record<
  Activation,
  { value(f: FunctionBuilder, x: Local<'v128'>): V128; derivative(y: Local<'v128'>): V128 }
> = {
  relu: {
    value: (_, x) => f32x4.pmax(x, ZERO),
    derivative: (y) => v128.and(f32x4.splat(1), f32x4.gt(y, ZERO)),
  },
  'leaky-relu': {
    value: (_, x) => v128.bitselect(f32x4.mul(x, f32x4.splat(LEAKY_SLOPE)), x, f32x4.le(x, ZERO)),
    derivative: (y) => v128.bitselect(f32x4.splat(1), f32x4.splat(LEAKY_SLOPE), f32x4.gt(y, ZERO)),
  },
  sigmoid: {
    value: (f, x) => sigmoid(f, x),
    derivative: (y) => f32x4.mul(y, f32x4.sub(f32x4.splat(1), y)),
  },
  tanh: {
    value: (f, x) => tanh(f, x),
    derivative: (y) => f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)),
  },
};

/** The first element of a task, and how many it has. */
function chunkOf(f: FunctionBuilder, task: Local<'i32'>, total: Local<'i32'>) {
  const first = f.local('i32', i32.mul(task, CHUNK));
  return { first, count: f.local('i32', i32.min_u(i32.const(CHUNK), f.local('i32', i32.sub(total, first)))) };
}

/** The parameters of every kernel whose result goes to a sink: the number of elements, a buffer per thread, the sink. */
export const SINK_PARAMETERS = { count: 'i32', buffer: 'i32', bufferBytes: 'i32', sink: 'i32' } as const;
type SinkParameters = Readonly<Record<keyof typeof SINK_PARAMETERS, Local<'i32'>>>;

export function threadBuffer(
  f: FunctionBuilder,
  { buffer, bufferBytes }: SinkParameters,
  thread: Local<'i32'>,
): Local<'i32'> {
  return f.local('i32', i32.add(buffer, i32.mul(thread, bufferBytes)));
}

/** Computes a chunk of an elementwise result and sends it to the sink. `value` gets the distance in bytes from the first
 *  element, which is the same in all operands. */
function toSink(
  f: FunctionBuilder,
  p: SinkParameters,
  { task, thread, shared }: KernelContext,
  value: (at: Local<'i32'>, load: Access['load']) => V128,
): void {
  const { first, count } = chunkOf(f, task, p.count);
  const buffer = threadBuffer(f, p, thread);
  const shift = f.local('i32', i32.shl(first, 2));
  vectorised(f, count, (offset, { load, store }) => {
    const at = f.local('i32', i32.add(shift, offset));
    store(i32.add(buffer, offset), value(at, load));
  });
  f.do(call(shared.sink, p.sink, first, buffer, count, f32.const(1)));
}

/** a + b */
export const add = kernel({ ...SINK_PARAMETERS, a: 'i32', b: 'i32' }, (f, p, context) => {
  toSink(f, p, context, (at, load) => f32x4.add(load(i32.add(p.a, at)), load(i32.add(p.b, at))));
});

/** factor · x */
export const scale = kernel({ ...SINK_PARAMETERS, x: 'i32', factor: 'f32' }, (f, p, context) => {
  const factor = f.local('v128', f32x4.splat(p.factor));
  toSink(f, p, context, (at, load) => f32x4.mul(load(i32.add(p.x, at)), factor));
});

/** Sends x to the sink. */
export const deliver = kernel({ ...SINK_PARAMETERS, x: 'i32' }, (f, p, { task, shared }) => {
  const { first, count } = chunkOf(f, task, p.count);
  f.do(call(shared.sink, p.sink, first, i32.add(p.x, i32.shl(first, 2)), count, f32.const(1)));
});

/** target = φ(x) */
export const activation = kernel(
  { kind: 'i32', x: 'i32', target: 'i32', count: 'i32' },
  (f, { kind, x, target, count: total }, { task }) => {
    const { first, count } = chunkOf(f, task, total);
    const shift = f.local('i32', i32.shl(first, 2));
    for (const [name, { value }] of Object.entries(ACTIVATIONS)) {
      f.if(i32.eq(kind, ACTIVATION_CODE[name as Activation]), () =>
        vectorised(f, count, (offset, { load, store }) => {
          const at = f.local('i32', i32.add(shift, offset));
          store(i32.add(target, at), value(f, f.local('v128', load(i32.add(x, at)))));
        }),
      );
    }
  },
);

/** upstream ⊙ φ′, from y = φ(x) */
export const activationDerivative = kernel(
  { ...SINK_PARAMETERS, kind: 'i32', y: 'i32', upstream: 'i32' },
  (f, p, context) => {
    for (const [name, { derivative }] of Object.entries(ACTIVATIONS)) {
      f.if(i32.eq(p.kind, ACTIVATION_CODE[name as Activation]), () =>
        toSink(f, p, context, (at, load) => {
          const local = derivative(f.local('v128', load(i32.add(p.y, at))));
          return f32x4.mul(load(i32.add(p.upstream, at)), local);
        }),
      );
    }
  },
);

/** x ⊙ mask · factor, with the mask defined in Backend.dropout; `threshold` is rate · 2³², rounded up. */
export const dropout = kernel(
  { ...SINK_PARAMETERS, x: 'i32', key: 'i32', threshold: 'i32', factor: 'f32' },
  (f, p, context) => {
    const [key, threshold] = [f.local('v128', i32x4.splat(p.key)), f.local('v128', i32x4.splat(p.threshold))];
    const factor = f.local('v128', f32x4.splat(p.factor));
    const lanes = f.local('v128', v128.const(new Uint8Array(Int32Array.of(0, 1, 2, 3).buffer)));
    toSink(f, p, context, (at, load) => {
      const indices = i32x4.add(i32x4.splat(i32.shr_u(at, 2)), lanes);
      const isKept = i32x4.ge_u(hash32(f, i32x4.add(key, hash32(f, indices))), threshold);
      return v128.and(f32x4.mul(load(i32.add(p.x, at)), factor), isKept);
    });
  },
);

/** The sum of squares of each chunk. */
export const sumSquares = kernel({ x: 'i32', count: 'i32', sums: 'i32' }, (f, { x, count: total, sums }, { task }) => {
  const { first, count } = chunkOf(f, task, total);
  const from = f.local('i32', i32.add(x, i32.shl(first, 2)));
  const sum = f.local('v128', ZERO);
  const value = f.local('v128');
  vectorised(f, count, (offset, { load }) => {
    f.set(value, load(i32.add(from, offset)));
    f.set(sum, f32x4.add(sum, f32x4.mul(value, value)));
  });
  const pairs = [0, 2].map((lane) => f32.add(f32x4.extract_lane(sum, lane), f32x4.extract_lane(sum, lane + 1)));
  f.do(f32.store(i32.add(sums, i32.shl(task, 2)), f32.add(pairs[0], pairs[1])));
});

export const SUM_COLUMNS_PER_TASK = 64;
/** Rows are summed in blocks before the total, so that a long column loses few digits. */
export const SUM_ROWS_PER_BLOCK = 256;

/** Sum of the rows of x [rows, columns]. */
export const sumRows = kernel({ ...SINK_PARAMETERS, x: 'i32', rows: 'i32' }, (f, p, context) => {
  sumOfRows(f, p, context, (at, load) => load(i32.add(p.x, at)));
});

/** Sum of the rows of upstream ⊙ [y > 0], both [rows, columns]. */
export const sumRowsWherePositive = kernel(
  { ...SINK_PARAMETERS, y: 'i32', upstream: 'i32', rows: 'i32' },
  (f, p, context) => {
    sumOfRows(f, p, context, (at, load) =>
      v128.and(load(i32.add(p.upstream, at)), f32x4.gt(load(i32.add(p.y, at)), ZERO)),
    );
  },
);

/** Sums rows of values and sends the sums to the sink. `value` gets the distance in bytes from the first element. */
function sumOfRows(
  f: FunctionBuilder,
  p: SinkParameters & { readonly rows: Local<'i32'> },
  { task, thread, shared }: KernelContext,
  value: (at: Local<'i32'>, load: Access['load']) => V128,
): void {
  const first = f.local('i32', i32.mul(task, SUM_COLUMNS_PER_TASK));
  const count = f.local('i32', i32.min_u(i32.const(SUM_COLUMNS_PER_TASK), f.local('i32', i32.sub(p.count, first))));
  const total = threadBuffer(f, p, thread);
  const sum = f.local('i32', i32.add(total, 4 * SUM_COLUMNS_PER_TASK));
  const clear = (at: Local<'i32'>) => vectorised(f, count, (i, { store }) => store(i32.add(at, i), ZERO));
  const stride = f.local('i32', i32.shl(p.count, 2));
  const row = f.local('i32', i32.shl(first, 2));
  clear(total);
  loop(
    f,
    0,
    p.rows,
    (done) => {
      const height = i32.min_u(i32.const(SUM_ROWS_PER_BLOCK), f.local('i32', i32.sub(p.rows, done)));
      clear(sum);
      loop(f, 0, height, () => {
        vectorised(f, count, (i, { load, store }) => {
          const at = f.local('i32', i32.add(row, i));
          store(i32.add(sum, i), f32x4.add(load(i32.add(sum, i)), value(at, load)));
        });
        f.set(row, i32.add(row, stride));
      });
      vectorised(f, count, (i, { load, store }) =>
        store(i32.add(total, i), f32x4.add(load(i32.add(total, i)), load(i32.add(sum, i)))),
      );
    },
    SUM_ROWS_PER_BLOCK,
  );
  f.do(call(shared.sink, p.sink, first, total, count, f32.const(1)));
}
