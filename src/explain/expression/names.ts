import { UsageError } from '../../errors.ts';
import { type Expression, errorAt, type Formula, type Statement } from './language.ts';
import type { Values } from './values.ts';

/** Names in a formula. */
export interface Names {
  /** Variables, in order of appearance. */
  readonly variables: readonly string[];
  /** Statements whose value no other statement uses, with their given or generated names. */
  readonly outputs: ReadonlyMap<Statement, string>;
}

/** @throws UsageError for a name that is defined twice, or used before it is defined. */
export function namesOf({ text, statements }: Formula): Names {
  const defined = new Set<string>();
  const variables = new Set<string>();
  const used = new Set<string>();
  for (const { name, value, at } of statements) {
    for (const use of namesIn(value)) (defined.has(use) ? used : variables).add(use);
    if (name === undefined) continue;
    if (defined.has(name)) throw errorAt(text, at, `${name} is defined twice; give the second one another name`);
    if (variables.has(name)) throw errorAt(text, at, `${name} is used before it is defined here; define it first`);
    defined.add(name);
  }
  const outputs = statements.filter(({ name }) => name === undefined || !used.has(name));
  const generated = generateNames(
    outputs.filter(({ name }) => name === undefined).length,
    new Set([...defined, ...variables]),
  );
  return {
    variables: [...variables],
    outputs: new Map(outputs.map((statement) => [statement, statement.name ?? generated.shift()!])),
  };
}

/** Returns f, or f1, f2, …, with another letter if one of these is taken. */
function generateNames(count: number, taken: ReadonlySet<string>): string[] {
  const names = (letter: string) => Array.from({ length: count }, (_, i) => (count === 1 ? letter : letter + (i + 1)));
  const letter = ['f', 'g', 'h', 'L', 'y'].find((letter) => !names(letter).some((name) => taken.has(name)));
  return names(letter ?? '#f');
}

function namesIn(node: Expression): string[] {
  if (node.kind === 'name') return [node.name];
  return node.kind === 'apply' ? node.operands.flatMap(namesIn) : [];
}

/** @param example returns a command with the missing values, for the message.
 *  @throws UsageError unless there are values for all variables and nothing else. */
export function expectValues(
  { statements }: Formula,
  variables: readonly string[],
  values: ReadonlyMap<string, Values>,
  example: (missing: readonly string[]) => string,
): void {
  const known = variables.length > 0 ? `its variables are ${variables.join(', ')}` : 'it has no variables';
  for (const name of values.keys()) {
    if (variables.includes(name)) continue;
    const isDefined = statements.some((statement) => statement.name === name);
    throw new UsageError(
      isDefined
        ? `${name} cannot be given a value: the expression computes it; ${known}`
        : `the expression has no variable ${name}; ${known}`,
    );
  }
  if (variables.length === 0) {
    throw new UsageError('the expression has no variables, so there is nothing to differentiate with respect to');
  }
  const missing = variables.filter((name) => !values.has(name));
  if (missing.length > 0) {
    throw new UsageError(`no value given for ${missing.join(', ')}; add one, for example\n  ${example(missing)}`);
  }
}
