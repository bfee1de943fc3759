import { existsSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../../errors.ts';
import { fileErrorReason } from '../../files.ts';
import { readJson } from '../../json.ts';

/** Reads a file of hyperparameters, or the config.json of a run, without checking the values.
 *  @throws UsageError if it cannot be read or does not hold a JSON object. */
export async function readConfigFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const content = (await readJson(file).catch((error) => {
    throw new UsageError(`cannot read the configuration file ${file}: ${reasonOf(error, file)}`, { cause: error });
  })) as Record<string, unknown> | null;
  const isRun = content?.environment !== undefined;
  const values = isRun ? content.config : content;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new UsageError(`${file} must hold one JSON object, such as {"model": "mlp", "lr": 0.05}`);
  }
  // Runs saved before recipes existed were plain.
  return isRun ? { recipe: 'plain', ...values } : (values as Record<string, unknown>);
}

function reasonOf(error: Error & { readonly code?: string }, file: string): string {
  const reason = fileErrorReason(error) ?? error.message;
  const inRun = path.join(file, 'config.json');
  return error.code === 'EISDIR' && existsSync(inRun) ? `${reason}; give the file ${inRun}` : reason;
}
