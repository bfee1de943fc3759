import type { Backend, Tensor } from '../backends/backend.ts';
import { UserError } from '../errors.ts';
import type { Model } from '../models/model.ts';
import type { Checkpoint } from './progress.ts';

/** Sets tensors to the values saved under their names. @param origin what they were saved in, for error messages.
 *  @throws UserError if a saved tensor is missing or has a different shape. */
export function writeTensors(
  backend: Backend,
  named: readonly (readonly [name: string, tensor: Tensor])[],
  saved: Checkpoint['tensors'],
  origin = 'the checkpoint',
): void {
  for (const [name, tensor] of named) {
    const found = saved.get(name);
    const wanted = `[${tensor.shape.join(', ')}]`;
    if (!found) throw misfit(`it has no tensor '${name}' ${wanted}`, origin);
    if (found.shape.join() !== tensor.shape.join()) {
      throw misfit(`'${name}' has shape [${found.shape.join(', ')}], wanted ${wanted}`, origin);
    }
    backend.write(tensor, found.values);
  }
}

/** The error for a checkpoint of another configuration. */
export function misfit(problem: string, origin: string): UserError {
  return new UserError(`${origin} does not fit the configuration: ${problem}`);
}

/** Sets the parameters of a model to those of a checkpoint.
 *  @throws UserError if a saved tensor is missing or has a different shape. */
export function writeParameters({ graph }: Model, tensors: Checkpoint['tensors'], origin?: string): void {
  writeTensors(
    graph.backend,
    graph.parameters.map(({ name, tensor }) => [name, tensor]),
    tensors,
    origin,
  );
}

/** Names of the tensors that hold a number that is NaN or infinite. */
export function notFinite(tensors: Checkpoint['tensors']): string[] {
  return [...tensors].filter(([, { values }]) => !values.every(Number.isFinite)).map(([name]) => name);
}
