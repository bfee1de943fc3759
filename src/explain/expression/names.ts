import { UsageError } from '../../errors.ts';
import { type Expression, errorAt, type Formula, type Statement } from './language.ts';
import type { Values } from './values.ts';

/** The names of a formula. */
export interface Names {
  /** The variables, in the order in which they are met. */
  readonly variables: readonly string[];
  /** The statements whose value no other one uses, and the names that they have or get. */
  readonly outputs: ReadonlyMap<Statement, string>;
}

/** @throws UsageError for a name that is set twice, or used before it is set. */
export function namesOf({ text, statements }: Formula): Names {
  const set = new Set<string>();
  const variables = new Set<string>();
  const used = new Set<string>();
  for (const { name, value, at } of statements) {
    for (const use of namesIn(value)) (set.has(use) ? used : variables).add(use);
    if (name === undefined) continue;
    if (set.has(name)) throw errorAt(text, at, `${name} is set a second time; give the second one another name`);
    if (variables.has(name)) throw errorAt(text, at, `${name} is used before it is set here; set it first`);
    set.add(name);
  }
  const outputs = statements.filter(({ name }) => name === undefined || !used.has(name));
  const invented = inventNames(
    outputs.filter(({ name }) => name === undefined).length,
    new Set([...set, ...variables]),
  );
  return {
    variables: [...variables],
    outputs: new Map(outputs.map((statement) => [statement, statement.name ?? invented.shift()!])),
  };
}

/** f, or f1, f2, …; another letter if one of these is taken. */
function inventNames(count: number, taken: ReadonlySet<string>): string[] {
  const names = (letter: string) => Array.from({ length: count }, (_, i) => (count === 1 ? letter : letter + (i + 1)));
  const letter = ['f', 'g', 'h', 'L', 'y'].find((letter) => !names(letter).some((name) => taken.has(name)));
  return names(letter ?? '#f');
}

function namesIn(node: Expression): string[] {
  if (node.kind === 'name') return [node.name];
  return node.kind === 'apply' ? node.operands.flatMap(namesIn) : [];
}

/** @param example a command that gives the missing values, for the message.
 *  @throws UsageError unless there is a value for each variable, and for nothing else. */
export function expectValues(
  { statements }: Formula,
  variables: readonly string[],
  values: ReadonlyMap<string, Values>,
  example: (missing: readonly string[]) => string,
): void {
  const known = variables.length > 0 ? `its variables are ${variables.join(', ')}` : 'it has no variables';
  for (const name of values.keys()) {
    if (variables.includes(name)) continue;
    const isSet = statements.some((statement) => statement.name === name);
    throw new UsageError(
      isSet
        ? `${name} cannot be given a value: the expression computes it; ${known}`
        : `there is no ${name} in the expression; ${known}`,
    );
  }
  if (variables.length === 0) {
    throw new UsageError('there is no variable in the expression, and so nothing to differentiate by');
  }
  const missing = variables.filter((name) => !values.has(name));
  if (missing.length > 0) {
    throw new UsageError(`there is no value for ${missing.join(', ')}; give one, for example\n  ${example(missing)}`);
  }
}
