import { type ElementwiseBackend, type Shape, ShapeError } from '../../backends/backend.ts';
import type { Gate } from '../../engine/gate.ts';
import { activation } from '../../engine/gates/activation.ts';
import { add } from '../../engine/gates/add.ts';
import * as arithmetic from '../../engine/gates/arithmetic.ts';
import { type ScalarFunction, withConstant } from '../../engine/gates/elementwise.ts';
import { matmul } from '../../engine/gates/matmul.ts';
import { copy, sum, transpose } from '../../engine/gates/rearrange.ts';
import { norm2 } from '../../engine/gates/squared-norm.ts';
import type { Graph } from '../../engine/graph.ts';
import type { Wire } from '../../engine/wire.ts';
import { describeShape } from './values.ts';

export type ExpressionGraph = Graph<ElementwiseBackend>;

/** A scalar constant, which is folded into the gates, or a wire of the graph. */
export type Operand = number | Wire;

/** Operator or function of the expression language. */
export interface Operation {
  readonly operands: number;
  /** Adds its gates to the graph; the last gate's output gets the name.
   *  @throws ShapeError if the shapes of the operands do not match. */
  apply(graph: ExpressionGraph, operands: readonly Operand[], name: string | undefined): Operand;
}

type PairGate = Gate<'a' | 'b', ElementwiseBackend>;
type SingleGate = Gate<'x', ElementwiseBackend>;

/** Formats a number for the name of a gate. */
function text(c: number): string {
  return String(c).replace('-', '−');
}

/** f(a, b), element by element. @param verb for messages. @param fold f on constants. @param left, right make the gate
 *  that remains if that operand is a constant. */
function pair(
  gate: PairGate,
  verb: string,
  fold: (a: number, b: number) => number,
  left: (c: number) => SingleGate,
  right: (c: number) => SingleGate,
): Operation {
  return {
    operands: 2,
    apply(graph, [a, b], name) {
      if (typeof a === 'number') return typeof b === 'number' ? fold(a, b) : addGate(graph, left(a), { x: b }, name);
      if (typeof b === 'number') return addGate(graph, right(b), { x: a }, name);
      const shape = commonShape(a.shape, b.shape, verb);
      return addGate(graph, gate, { a: broadcast(graph, a, shape), b: broadcast(graph, b, shape) }, name);
    },
  };
}

/** `pair` for a scalar function. @param names of the gates in which one operand is the constant c. */
function scalarPair(
  gate: PairGate & ScalarFunction<'a' | 'b'>,
  verb: string,
  names: { readonly a: (c: string) => string; readonly b: (c: string) => string },
): Operation {
  const fixed = (side: 'a' | 'b') => (c: number) => withConstant(names[side](text(c)), gate, side, c);
  return pair(gate, verb, gate.value, fixed('a'), fixed('b'));
}

function single(gate: SingleGate): Operation {
  return {
    operands: 1,
    apply: (graph, [x], name) => addGate(graph, gate, { x: wireOf(graph, x) }, name),
  };
}

function addGate<Name extends string>(
  graph: ExpressionGraph,
  gate: Gate<Name, ElementwiseBackend>,
  inputs: Readonly<Record<Name, Wire>>,
  name = `#${graph.tape.length + 1}`,
): Wire {
  return graph.apply(gate, inputs, name);
}

function wireOf(graph: ExpressionGraph, operand: Operand): Wire {
  if (typeof operand !== 'number') return operand;
  const wire = graph.constant(text(operand), []);
  graph.backend.write(wire.tensor, [operand]);
  return wire;
}

/** Broadcasts a scalar to the shape of the other operand. */
function broadcast(graph: ExpressionGraph, wire: Wire, shape: Shape): Wire {
  return wire.shape.length === 0 && shape.length > 0 ? addGate(graph, copy(shape), { x: wire }) : wire;
}

function commonShape(a: Shape, b: Shape, verb: string): Shape {
  if (a.length === 0) return b;
  if (b.length === 0 || (a[0] === b[0] && a[1] === b[1])) return a;
  throw new ShapeError(`cannot ${verb} ${describeShape(a)} and ${describeShape(b)}: the shapes differ`);
}

const elementwiseProduct = pair(
  arithmetic.multiply,
  'multiply',
  arithmetic.multiply.value,
  timesConstant,
  timesConstant,
);

function timesConstant(c: number): SingleGate {
  return withConstant(`×${text(c)}`, arithmetic.multiply, 'b', c);
}

/** Product of scalars, of a scalar and a tensor, or of matrices; a vector is a column. */
const product: Operation = {
  operands: 2,
  apply(graph, operands, name) {
    const [a, b] = operands;
    if (typeof a === 'number' || typeof b === 'number' || a.shape.length === 0 || b.shape.length === 0) {
      return elementwiseProduct.apply(graph, operands, name);
    }
    if (a.shape[1] === b.shape[0]) return addGate(graph, matmul, { a, b }, name);
    const isSame = a.shape[0] === b.shape[0] && a.shape[1] === b.shape[1];
    const hint = isSame ? '; for an elementwise product write a .* b, for a dot product sum(a .* b)' : '';
    throw new ShapeError(
      `cannot multiply ${describeShape(a.shape)} by ${describeShape(b.shape)}: the first has ` +
        `${a.shape[1]} column${a.shape[1] === 1 ? '' : 's'}, the second ${b.shape[0]} row${b.shape[0] === 1 ? '' : 's'}${hint}`,
    );
  },
};

const transposition: Operation = {
  operands: 1,
  apply(graph, [x], name) {
    const wire = wireOf(graph, x);
    if (wire.shape.length === 0) throw new ShapeError('cannot transpose a scalar; give a vector or a matrix');
    return addGate(graph, transpose, { x: wire }, name);
  },
};

const negate: Operation = {
  operands: 1,
  apply: (graph, [x], name) => product.apply(graph, [x, -1], name),
};

/** Operators, by their name in the syntax tree. */
export const OPERATORS: ReadonlyMap<string, Operation> = new Map([
  ['+', pair(add, 'add', (a, b) => a + b, arithmetic.plusConstant, arithmetic.plusConstant)],
  [
    '-',
    pair(
      arithmetic.subtract,
      'subtract',
      arithmetic.subtract.value,
      (c) => withConstant(`${text(c)}−x`, arithmetic.subtract, 'a', c),
      (c) => arithmetic.plusConstant(-c),
    ),
  ],
  ['*', product],
  ['.*', elementwiseProduct],
  ['/', scalarPair(arithmetic.divide, 'divide', { a: (c) => `${c}/x`, b: (c) => `/${c}` })],
  ['^', scalarPair(arithmetic.power, 'raise', { a: (c) => `${c}^x`, b: (c) => `^${c}` })],
  ['negate', negate],
]);

export const FUNCTIONS: ReadonlyMap<string, Operation> = new Map([
  ['exp', single(arithmetic.exp)],
  ['log', single(arithmetic.log)],
  ['sqrt', single(arithmetic.sqrt)],
  ['abs', single(arithmetic.absolute)],
  ['max', scalarPair(arithmetic.maximum, 'compare', { a: (c) => `max(${c}, x)`, b: (c) => `max(x, ${c})` })],
  ['min', scalarPair(arithmetic.minimum, 'compare', { a: (c) => `min(${c}, x)`, b: (c) => `min(x, ${c})` })],
  ['sigmoid', single(activation('sigmoid'))],
  ['tanh', single(activation('tanh'))],
  ['relu', single(activation('relu'))],
  ['step', single(arithmetic.step)],
  ['norm2', single(norm2)],
  ['sum', single(sum)],
  ['transpose', transposition],
  ['T', transposition],
]);
