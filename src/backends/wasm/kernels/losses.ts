import type { FunctionBuilder, Local } from '../assembler/assembler.ts';
import { call, f32, f32x4, i32, i32x4, type V128, v128 } from '../assembler/instructions.ts';
import { exp, log } from './functions.ts';
import { type KernelContext, kernel, loop, type Parameters, ZERO } from './kernel.ts';
import { SINK_PARAMETERS, threadBuffer } from './pointwise.ts';

// Losses of the rows of logits [rows, classes], four rows at a time, one per lane. Lanes beyond the last row repeat it, and
// their results are not read.

const LOGITS = {
  logits: 'i32',
  labels: 'i32',
  rows: 'i32',
  classes: 'i32',
  groups: 'i32',
} as const satisfies Parameters;
type LogitLocals = Readonly<Record<keyof typeof LOGITS, Local<'i32'>>>;

/** Four rows of logits. */
interface RowGroup {
  /** The index of the first row. */
  readonly row: Local<'i32'>;
  /** The labels of the rows, as integers. */
  readonly labels: Local<'v128'>;
  /** The scores of class c. */
  score(c: Local<'i32'>): V128;
  /** Calls `body` for each class; `isLabel` is a mask of the rows with this label. */
  forEachClass(body: (score: Local<'v128'>, isLabel: V128, c: Local<'i32'>) => void): void;
}

/** Calls `body` for each row group of a task; a task has up to `groups` of them. */
function forEachRowGroup(
  f: FunctionBuilder,
  { logits, labels, rows, classes, groups }: LogitLocals,
  task: Local<'i32'>,
  body: (group: RowGroup) => void,
): void {
  const length = f.local('i32', i32.shl(groups, 2));
  const first = f.local('i32', i32.mul(task, length));
  const end = f.local('i32', i32.min_u(rows, f.local('i32', i32.add(first, length))));
  const last = f.local('i32', i32.sub(rows, 1));
  loop(
    f,
    first,
    end,
    (row) => {
      const lanes = [0, 1, 2, 3].map((lane) => f.local('i32', i32.min_u(f.local('i32', i32.add(row, lane)), last)));
      const at = lanes.map((lane) => f.local('i32', i32.add(logits, i32.shl(i32.mul(lane, classes), 2))));
      const label = f.local('v128', ZERO);
      for (const [lane, index] of lanes.entries()) {
        f.set(label, i32x4.replace_lane(label, lane, i32.load8_u(i32.add(labels, index))));
      }
      const score = (c: Local<'i32'>) =>
        [1, 2, 3].reduce<V128>(
          (vector, lane) => v128.load32_lane(i32.add(at[lane], i32.shl(c, 2)), vector, lane),
          v128.load32_zero(i32.add(at[0], i32.shl(c, 2))),
        );
      const forEachClass: RowGroup['forEachClass'] = (visit) =>
        loop(f, 0, classes, (c) => visit(f.local('v128', score(c)), i32x4.eq(label, i32x4.splat(c)), c));
      body({ row, labels: label, score, forEachClass });
    },
    4,
  );
}

/** The largest score of each row, and Σ_c exp(score_c − max). */
function maximumAndSum(f: FunctionBuilder, { forEachClass }: RowGroup) {
  const max = f.local('v128', f32x4.splat(-Infinity));
  const sum = f.local('v128', ZERO);
  forEachClass((score) => f.set(max, f32x4.max(max, score)));
  forEachClass((score) => f.set(sum, f32x4.add(sum, exp(f, f32x4.sub(score, max)))));
  return { max, sum };
}

/** losses[row] = −Σ_c q_c log softmax(logits)_c, q = (1 − ε)·onehot(label) + ε/C; `smoothing` is ε. */
export const softmaxCrossEntropy = kernel({ ...LOGITS, smoothing: 'f32', losses: 'i32' }, (f, p, { task }) => {
  const smoothing = f.local('v128', f32x4.splat(p.smoothing));
  const count = f.local('v128', f32x4.convert_i32x4_s(i32x4.splat(p.classes)));
  forEachRowGroup(f, p, task, (group) => {
    const { max, sum } = maximumAndSum(f, group);
    // Computed relative to the largest score, so that a small loss keeps its digits when scores are large.
    const [labelScore, mean] = [f.local('v128', ZERO), f.local('v128', ZERO)];
    group.forEachClass((score, isLabel) => {
      const relative = f.local('v128', f32x4.sub(score, max));
      f.set(labelScore, v128.bitselect(relative, labelScore, isLabel));
      f.set(mean, f32x4.add(mean, f32x4.div(relative, count)));
    });
    const crossEntropy = f.local('v128', f32x4.sub(log(f, sum), labelScore));
    const smoothed = f32x4.add(crossEntropy, f32x4.mul(smoothing, f32x4.sub(labelScore, mean)));
    f.do(v128.store(i32.add(p.losses, i32.shl(group.row, 2)), smoothed));
  });
});

/** factor · (softmax(logits) − q); `factor` is upstream/B. */
export const softmaxCrossEntropyDerivative = kernel(
  { ...LOGITS, ...SINK_PARAMETERS, smoothing: 'f32', factor: 'f32' },
  (f, p, context) => {
    const factor = f.local('v128', f32x4.splat(p.factor));
    const smoothing = f.local('v128', f32x4.splat(p.smoothing));
    const count = f32x4.convert_i32x4_s(i32x4.splat(p.classes));
    const base = f.local('v128', f32x4.div(smoothing, count));
    const target = f.local('v128', f32x4.add(f32x4.sub(f32x4.splat(1), smoothing), base));
    derivative(f, p, context, (group, put) => {
      const { max, sum } = maximumAndSum(f, group);
      group.forEachClass((score, isLabel, c) => {
        const probability = f32x4.div(exp(f, f32x4.sub(score, max)), sum);
        put(c, f32x4.mul(factor, f32x4.sub(probability, v128.bitselect(target, base, isLabel))));
      });
    });
  },
);

/** losses[row] = Σ_{c ≠ label} max(0, s_c − s_label + 1). */
export const hinge = kernel({ ...LOGITS, losses: 'i32' }, (f, p, { task }) => {
  forEachRowGroup(f, p, task, (group) => {
    const labelScore = scoreOfLabel(f, group);
    const sum = f.local('v128', ZERO);
    group.forEachClass((score, isLabel) => {
      const margin = f32x4.pmax(f32x4.add(f32x4.sub(score, labelScore), f32x4.splat(1)), ZERO);
      f.set(sum, f32x4.add(sum, v128.andnot(margin, isLabel)));
    });
    f.do(v128.store(i32.add(p.losses, i32.shl(group.row, 2)), sum));
  });
});

/** `factor` for each class that violates the margin, and minus their sum at the label; `factor` is upstream/B. */
export const hingeDerivative = kernel({ ...LOGITS, ...SINK_PARAMETERS, factor: 'f32' }, (f, p, context) => {
  const factor = f.local('v128', f32x4.splat(p.factor));
  derivative(f, p, context, (group, put) => {
    const labelScore = scoreOfLabel(f, group);
    const violations = f.local('v128', ZERO);
    const one = f32x4.splat(1);
    const isViolation = (score: V128, isLabel: V128) =>
      v128.andnot(f32x4.gt(f32x4.add(f32x4.sub(score, labelScore), one), ZERO), isLabel);
    group.forEachClass((score, isLabel) =>
      f.set(violations, f32x4.add(violations, v128.and(one, isViolation(score, isLabel)))),
    );
    group.forEachClass((score, isLabel, c) => {
      const other = v128.and(one, isViolation(score, isLabel));
      put(c, f32x4.mul(factor, v128.bitselect(f32x4.neg(violations), other, isLabel)));
    });
  });
});

/** hits[row] = 1 if the first maximum of the row is at the label, else 0; a row that contains NaN has no maximum. */
export const countCorrect = kernel({ ...LOGITS, hits: 'i32' }, (f, p, { task }) => {
  forEachRowGroup(f, p, task, (group) => {
    const best = f.local('v128', f32x4.splat(-Infinity));
    const bestClass = f.local('v128', ZERO);
    const isNumber = f.local('v128', i32x4.splat(-1));
    group.forEachClass((score, _, c) => {
      const isBetter = f.local('v128', f32x4.gt(score, best));
      f.set(best, v128.bitselect(score, best, isBetter));
      f.set(bestClass, v128.bitselect(i32x4.splat(c), bestClass, isBetter));
      f.set(isNumber, v128.and(isNumber, f32x4.eq(score, score)));
    });
    const hit = v128.and(i32x4.eq(bestClass, group.labels), isNumber);
    f.do(v128.store(i32.add(p.hits, i32.shl(group.row, 2)), v128.and(f32x4.splat(1), hit)));
  });
});

function scoreOfLabel(f: FunctionBuilder, group: RowGroup): Local<'v128'> {
  const result = f.local('v128', ZERO);
  group.forEachClass((score, isLabel) => f.set(result, v128.bitselect(score, result, isLabel)));
  return result;
}

/** Computes the gradient of the logits for the rows of a task, and sends it to the sink. `put` sets the gradients of class c
 *  for the rows of a group. */
function derivative(
  f: FunctionBuilder,
  p: LogitLocals & Readonly<Record<keyof typeof SINK_PARAMETERS, Local<'i32'>>>,
  { task, thread, shared }: KernelContext,
  body: (group: RowGroup, put: (c: Local<'i32'>, value: V128) => void) => void,
): void {
  const buffer = threadBuffer(f, p, thread);
  const stride = f.local('i32', i32.shl(p.classes, 2));
  const to = f.local('i32', buffer);
  forEachRowGroup(f, p, task, (group) => {
    body(group, (c, value) => {
      const vector = f.local('v128', value);
      const at = f.local('i32', i32.add(to, i32.shl(c, 2)));
      for (const lane of [0, 1, 2, 3]) {
        f.do(v128.store32_lane(at, vector, lane));
        f.set(at, i32.add(at, stride));
      }
    });
    f.set(to, i32.add(to, i32.shl(stride, 2)));
  });
  const first = f.local('i32', i32.mul(i32.shl(i32.mul(task, p.groups), 2), p.classes));
  const left = f.local('i32', i32.sub(p.count, first));
  const count = i32.min_u(f.local('i32', i32.mul(i32.shl(p.groups, 2), p.classes)), left);
  f.do(call(shared.sink, p.sink, first, buffer, count, f32.const(1)));
}
