import type { FileHandle } from 'node:fs/promises';
import type { AsyncBuffer, CompressionCodec, FileMetaData, RowGroup, SchemaTree } from 'hyparquet';
import { DataError } from '../../errors.ts';
import { kindOf, START_BYTES } from '../../file-kinds.ts';
import { integer } from '../../format.ts';
import { openRegularFile } from '../../read-file.ts';
import { REPLACEMENT_ADVICE } from '../cifar10.ts';
import { cannotRead } from './folder.ts';
import { CODECS, decompressors, ParquetError } from './parquet-codecs.ts';
import { wrongKind } from './wrong-file.ts';

// The library that decodes Parquet trusts what a file says of itself. So its structure, the number of values in each page
// and all sizes are checked here first: wrong ones would end in errors about its internals, or fill the memory.

/** Bytes that are read at once, at most: the images of a row group. */
const MAX_CHUNK_BYTES = 512 * 2 ** 20;
/** Bytes at the end of a file: the size of the metadata, and 'PAR1'. */
const END_BYTES = 8;
/** Names of the two columns, in datasets of images on Hugging Face. */
const IMAGE_COLUMNS = ['img', 'image'];
const LABEL_COLUMNS = ['label', 'labels'];

/** An open file with the columns of CIFAR-10. */
export interface ParquetFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly metadata: FileMetaData;
  readonly file: AsyncBuffer;
  readonly columns: { readonly image: string; readonly label: string };
}

export interface Row {
  readonly image?: { readonly bytes?: unknown } | null | undefined;
  readonly label?: unknown;
}

/** The file lacks the columns of CIFAR-10, so it belongs to another dataset. */
export class WrongColumns extends DataError {}

/** Opens a Parquet file; its handle is for the caller to close.
 *  @throws DataError if it cannot be read, is damaged or has other columns. */
export async function openParquet(path: string): Promise<ParquetFile> {
  const { parquetMetadataAsync, parquetSchema } = await import('hyparquet');
  let handle: FileHandle | undefined;
  try {
    handle = await openRegularFile(path);
    const { size } = await handle.stat();
    await checkEnds(path, handle, size);
    const file = buffer(handle, size);
    const metadata = await parquetMetadataAsync(file);
    const schema = parquetSchema(metadata);
    const columns = columnsOf(schema, path);
    for (const group of metadata.row_groups) checkGroup(group, schema, Object.values(columns), path);
    const rows = metadata.row_groups.reduce((sum, { num_rows }) => sum + num_rows, 0n);
    if (rows !== metadata.num_rows) {
      throw new ParquetError(`its row groups have ${rows} rows, wanted ${metadata.num_rows}`);
    }
    return { path, handle, metadata, file, columns };
  } catch (error) {
    await handle?.close();
    throw asDataError(path, error);
  }
}

/** Reads the rows of an open file, one row group at a time. @throws DataError if the file is damaged. */
export async function* readRowGroups(parquet: ParquetFile): AsyncGenerator<readonly Row[]> {
  let rowStart = 0;
  for (const group of parquet.metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    yield await readRowGroup(parquet, group, { rowStart, rowEnd });
    rowStart = rowEnd;
  }
}

async function readRowGroup(
  { path, file, metadata, columns }: ParquetFile,
  group: RowGroup,
  range: { readonly rowStart: number; readonly rowEnd: number },
): Promise<readonly Row[]> {
  const { parquetReadObjects } = await import('hyparquet');
  const names = Object.values(columns);
  try {
    const compressors = await decompressors(codecsOf(group, names));
    await checkPages(file, group, names);
    // utf8: false keeps the image bytes from being decoded as text.
    const options = { file, metadata, ...range, columns: names, utf8: false, compressors };
    const rows = await parquetReadObjects(options);
    return rows.map((row) => ({ image: row[columns.image] as Row['image'], label: row[columns.label] }));
  } catch (error) {
    throw asDataError(path, error);
  }
}

async function checkEnds(path: string, handle: FileHandle, size: number): Promise<void> {
  const start = (await handle.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0)).buffer.subarray(0, size);
  if (kindOf(start)?.id !== 'parquet') throw wrongKind({ origin: path, start }, 'a Parquet file of CIFAR-10');
  const end = (await handle.read(Buffer.alloc(END_BYTES), 0, END_BYTES, Math.max(0, size - END_BYTES))).buffer;
  if (size >= 3 * END_BYTES && end.toString('latin1', 4) === 'PAR1') return;
  throw new DataError(`${path} is cut off: it does not end as a Parquet file does. ${REPLACEMENT_ADVICE}`);
}

function columnsOf(schema: SchemaTree, path: string): ParquetFile['columns'] {
  const names = schema.children.map(({ element }) => element.name);
  const [image, label] = [IMAGE_COLUMNS, LABEL_COLUMNS].map((candidates) =>
    candidates.find((name) => names.includes(name)),
  );
  if (image !== undefined && label !== undefined) return { image, label };
  const found = names.includes('fine_label') ? 'those of CIFAR-100' : names.slice(0, 8).join(', ');
  throw new WrongColumns(`${path} has the columns ${found}; wanted img and label, as in CIFAR-10 on Hugging Face`);
}

/** Checks that the parts of a row group are those of the schema. (The library leaves the errors of others unhandled.) */
function checkGroup(
  { columns, num_rows }: RowGroup,
  schema: SchemaTree,
  names: readonly string[],
  origin: string,
): void {
  const seen = new Set<string>();
  // The library passes on what a file leaves out as undefined.
  if (typeof num_rows !== 'bigint' || num_rows < 0n) throw new ParquetError('a row group has no number of rows');
  for (const { meta_data, file_path } of columns) {
    const path = meta_data?.path_in_schema.join('.') ?? '';
    const wanted = meta_data?.path_in_schema.reduce<SchemaTree | undefined>(
      (tree, name) => tree?.children.find(({ element }) => element.name === name),
      schema,
    );
    if (file_path || !meta_data || !wanted || wanted.children.length > 0 || seen.has(path)) {
      throw new ParquetError('its columns are not those of its schema');
    }
    seen.add(path);
    if (!names.includes(meta_data.path_in_schema[0])) continue;
    const { codec, num_values } = meta_data;
    if (codec && !CODECS.includes(codec)) {
      const known = CODECS.slice(1).join(', ');
      throw new DataError(
        `${origin} is compressed with ${codec}; wanted ${known} or nothing. Write it with one of these.`,
      );
    }
    if (num_values !== num_rows) throw new ParquetError(`column ${path} has ${num_values} values, wanted ${num_rows}`);
  }
}

function codecsOf({ columns }: RowGroup, names: readonly string[]): Set<CompressionCodec> {
  const used = columns.filter(({ meta_data }) => names.includes(meta_data!.path_in_schema[0]));
  return new Set(used.map(({ meta_data }) => meta_data!.codec));
}

/** Checks the headers of the pages of a row group: none may have more values than the group has rows. */
async function checkPages(file: AsyncBuffer, group: RowGroup, names: readonly string[]): Promise<void> {
  const { parquetHeader } = await import('hyparquet/src/column.js');
  for (const { meta_data } of group.columns) {
    if (!names.includes(meta_data!.path_in_schema[0])) continue;
    const { dictionary_page_offset, data_page_offset, total_compressed_size } = meta_data!;
    const start = dictionary_page_offset || data_page_offset;
    const bytes = await file.slice(Number(start), Number(start + total_compressed_size));
    const reader = { view: new DataView(bytes), offset: 0 };
    while (reader.offset < bytes.byteLength - 1) {
      const { compressed_page_size, ...header } = parquetHeader(reader);
      const { num_values = 0 } =
        header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header ?? {};
      if (!(compressed_page_size >= 0)) throw new ParquetError('a page has no size');
      if (!(num_values >= 0 && num_values <= group.num_rows)) {
        throw new ParquetError(`a page has ${integer(num_values)} values, wanted at most ${group.num_rows}`);
      }
      reader.offset += compressed_page_size;
    }
  }
}

function buffer(handle: FileHandle, byteLength: number): AsyncBuffer {
  const slice = async (start: number, end = byteLength) => {
    const size = end - start;
    if (!(start >= 0 && size >= 0 && end <= byteLength && size <= MAX_CHUNK_BYTES)) {
      throw new ParquetError(`it refers to bytes ${start} to ${end}, but has ${byteLength}`);
    }
    const bytes = new Uint8Array(size);
    const { bytesRead } = await handle.read(bytes, 0, size, start);
    return bytes.buffer.slice(0, bytesRead);
  };
  return { byteLength, slice };
}

function asDataError(path: string, error: unknown): unknown {
  if (error instanceof DataError) return error;
  const known = cannotRead(path, error);
  if (known !== error) return known;
  const { message } = error as Error;
  // What else the library says is about its internals.
  const isTelling = error instanceof ParquetError || message.startsWith('parquet unsupported');
  const reason = isTelling ? message.replace(/^parquet /, '') : 'its metadata or pages cannot be decoded';
  return new DataError(`${path} is damaged: ${reason}. ${REPLACEMENT_ADVICE}`, { cause: error });
}
