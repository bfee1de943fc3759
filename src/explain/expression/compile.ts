import { type ElementwiseBackend, ShapeError } from '../../backends/backend.ts';
import { ReferenceBackend } from '../../backends/reference/reference.ts';
import { closest } from '../../closest.ts';
import type { TapeEntry } from '../../engine/backward-path.ts';
import { Graph } from '../../engine/graph.ts';
import type { Wire } from '../../engine/wire.ts';
import { UsageError } from '../../errors.ts';
import type { EvaluatedGraph } from '../graph-explanation.ts';
import { type Expression, errorAt, type Formula, type Statement } from './language.ts';
import { namesOf } from './names.ts';
import { type ExpressionGraph, FUNCTIONS, OPERATORS, type Operand, type Operation } from './operations.ts';
import { describeShape, type Values, valuesOf } from './values.ts';

/** Builds the graph of a formula in float64 and runs it forward. Every variable is a parameter; the outputs are the
 *  statements whose value no other statement uses.
 *
 *  @param values one for each variable.
 *  @throws UsageError with the position in the formula: an unknown function, shapes that do not match, a value that is
 *  not finite, an output that does not depend on a variable. */
export async function compile(
  formula: Formula,
  values: ReadonlyMap<string, Values>,
): Promise<EvaluatedGraph<ElementwiseBackend>> {
  const graph = new Graph(new ReferenceBackend('float64'), 1);
  const compiler = new Compiler(formula, graph);
  const { variables, outputs } = namesOf(formula);
  for (const name of variables) compiler.declare(name, values.get(name)!);
  const outputWires: Wire[] = [];
  for (const statement of formula.statements) {
    const outputName = outputs.get(statement);
    const result = compiler.compile(statement, statement.name ?? outputName!);
    if (outputName !== undefined) outputWires.push(expectGradient(result, statement, outputName, formula));
  }
  graph.forward();
  for (const entry of graph.tape) await expectFinite(entry, compiler);
  return { graph, outputs: [...new Set(outputWires)] };
}

class Compiler {
  readonly formula: Formula;
  readonly graph: ExpressionGraph;
  /** Position in the formula of the gate that computes a wire. */
  readonly positions = new Map<Wire, number>();
  readonly #scope = new Map<string, Operand>();

  constructor(formula: Formula, graph: ExpressionGraph) {
    this.formula = formula;
    this.graph = graph;
  }

  declare(name: string, { shape, values }: Values): void {
    const wire = this.graph.parameter(name, shape);
    this.graph.backend.write(wire.tensor, values);
    this.#scope.set(name, wire);
  }

  compile(statement: Statement, name: string): Operand {
    const result = this.#operand(statement.value, name);
    if (statement.name !== undefined) this.#scope.set(statement.name, result);
    return result;
  }

  #operand(node: Expression, name?: string): Operand {
    switch (node.kind) {
      case 'number':
        return node.value;
      case 'array': {
        const { shape, values } = this.#withPosition(node, () => valuesOf(node.value, node.text));
        const wire = this.graph.constant(node.text, shape);
        this.graph.backend.write(wire.tensor, values);
        return wire;
      }
      case 'name':
        return this.#scope.get(node.name)!;
      case 'apply':
        return this.#apply(node, name);
    }
  }

  #apply(node: Application, name: string | undefined): Operand {
    const operation = operationOf(this.formula, node);
    const operands = node.operands.map((operand) => this.#operand(operand));
    const before = this.graph.tape.length;
    const result = this.#withPosition(node, () => operation.apply(this.graph, operands, name));
    for (const { output } of this.graph.tape.slice(before)) this.positions.set(output, node.at);
    return result;
  }

  #withPosition<T>({ at }: Expression, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ShapeError || error instanceof UsageError)) throw error;
      throw errorAt(this.formula.text, at, error.message);
    }
  }
}

type Application = Extract<Expression, { kind: 'apply' }>;

function operationOf({ text }: Formula, { name, operands, at }: Application): Operation {
  const operation = OPERATORS.get(name) ?? FUNCTIONS.get(name);
  if (!operation) {
    const near = closest(name, FUNCTIONS.keys());
    const hint = near ? `. Did you mean '${near}'?` : `; the functions are ${[...FUNCTIONS.keys()].join(', ')}`;
    throw errorAt(text, at, `unknown function '${name}'${hint}`);
  }
  if (operands.length !== operation.operands) {
    const expected = operation.operands === 1 ? 'one value' : 'two values';
    throw errorAt(text, at, `${name} takes ${expected}, got ${operands.length}`);
  }
  return operation;
}

/** @throws UsageError for an output that is not computed by a gate, or has no gradient. */
function expectGradient(result: Operand, { value, at }: Statement, name: string, { text }: Formula): Wire {
  if (typeof result === 'number' || !result.needsGradient) {
    throw errorAt(text, at, `${name} does not depend on a variable, so it has no gradient`);
  }
  if (result.isParameter) throw errorAt(text, value.at, `${name} is just a variable; there is no gate to explain`);
  return result;
}

/** @throws UsageError for a gate whose output is NaN or infinite. */
async function expectFinite(
  { gate, inputs, output }: TapeEntry<ElementwiseBackend>,
  { formula, graph, positions }: Compiler,
): Promise<void> {
  const values = await graph.backend.read(output.tensor);
  const i = values.findIndex((value) => !Number.isFinite(value));
  if (i < 0) return;
  const operands: string[] = [];
  for (const { name, shape, tensor } of Object.values(inputs)) {
    const all = await graph.backend.read(tensor);
    operands.push(`${name} = ${all.length === values.length ? all[i] : describeShape(shape)}`);
  }
  throw errorAt(
    formula.text,
    positions.get(output)!,
    `the gate ${gate.name} gives ${values[i]} for ${operands.join(', ')}; choose other values`,
  );
}
