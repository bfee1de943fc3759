import path from 'node:path';
import type { Field } from '../../config/field.ts';
import { FileError, UsageError } from '../../errors.ts';
import { suggestedFrom } from './suggestions.ts';

/** Parses the value of an option that is not a hyperparameter; returns the field's default if it was not given.
 *  @param name of the option or the environment variable, for the error.
 *  @throws UsageError if the field does not accept the value. */
export function parseOption<T>(name: string, text: string | undefined, field: Field<T>): T {
  const value = field.parse(text ?? field.default);
  if (value === undefined) {
    const option = name.replace(/^(--|NN_TRAIN_)/, '').toLowerCase();
    const words = (field.choices ?? []).filter((one) => typeof one === 'string');
    const suggestion = suggestedFrom(words, option, text!);
    throw new UsageError(`${name} must be ${field.wanted}, got ${text}${suggestion && `.${suggestion}`}`);
  }
  return value;
}

/** Extensions of files that commands write, and of other kinds of pictures, documents and weights that one could expect of them. */
const KNOWN =
  '.png .jpg .jpeg .gif .webp .avif .bmp .tif .tiff .svg .pdf .html .htm .json .jsonl .csv .tsv .xlsx .txt .md .safetensors .pt .pth .npz .onnx .h5'.split(
    ' ',
  );

/** Checks the name of a file to write. @param wanted its extensions, the usual one first; an unknown one is accepted too.
 *  @throws UsageError if the name is empty, or its extension is that of another format. */
export function expectFileName(option: string, file: string | undefined, wanted: readonly string[]): void {
  if (file === undefined) return;
  if (file === '') throw new UsageError(`${option} must name a file, got an empty string`);
  const { dir, name, ext } = path.parse(file);
  if (!KNOWN.includes(ext.toLowerCase()) || wanted.includes(ext.toLowerCase())) return;
  const format = wanted[0].slice(1);
  throw new UsageError(
    `${option} writes ${format.length > 4 ? format : format.toUpperCase()}, got ${file}; name it ${path.join(dir, name)}${wanted[0]}`,
  );
}

/** Writes to the file of an option. If its default cannot be written, the error says how to choose another. */
export async function writeChosen(option: string, isDefault: boolean, write: () => Promise<void>): Promise<void> {
  await write().catch((error) => {
    if (!isDefault || !(error instanceof FileError)) throw error;
    throw new FileError(`${error.message}; choose another file with ${option}`, { cause: error });
  });
}
