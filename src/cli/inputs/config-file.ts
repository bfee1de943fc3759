import { existsSync } from 'node:fs';
import path from 'node:path';
import { decodeText, MAX_FILE_BYTES, parseJson } from '../../documents/json.ts';
import { UsageError } from '../../errors.ts';
import { fileErrorReason } from '../../files.ts';
import { readToEnd } from '../../read-file.ts';

/** Reads a file of hyperparameters in JSON or YAML, or the config.json of a run, without checking the values.
 *  @throws UsageError if it cannot be read or does not hold an object. */
export async function readConfigFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const content = (await readContent(file).catch((error) => {
    throw new UsageError(`cannot read the configuration file ${file}: ${reasonOf(error, file)}`, { cause: error });
  })) as Record<string, unknown> | null;
  const isRun = content?.environment !== undefined;
  const values = isRun ? content.config : content;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    const example = isYamlName(file)
      ? 'names and values, such as "lr: 0.05"'
      : 'one JSON object, such as {"model": "mlp", "lr": 0.05}';
    throw new UsageError(`${file} must hold ${example}`);
  }
  // Runs saved before recipes existed were plain.
  return isRun ? { recipe: 'plain', ...values } : (values as Record<string, unknown>);
}

/** The file may be a pipe, which can be read only once, and whose name says nothing. */
async function readContent(file: string): Promise<unknown> {
  const bytes = await readToEnd(file, MAX_FILE_BYTES);
  const isJson = /\.json$/i.test(file) || (!isYamlName(file) && /^\s*[{[]/.test(decodeText(bytes, 'JSON')));
  if (isJson) return parseJson(bytes);
  const { parseYaml } = await import('../../documents/yaml.ts');
  return parseYaml(bytes);
}

function isYamlName(file: string): boolean {
  return /\.ya?ml$/i.test(file);
}

function reasonOf(error: Error & { readonly code?: string }, file: string): string {
  const reason = fileErrorReason(error) ?? error.message;
  const inRun = path.join(file, 'config.json');
  return error.code === 'EISDIR' && existsSync(inRun) ? `${reason}; give the file ${inRun}` : reason;
}
