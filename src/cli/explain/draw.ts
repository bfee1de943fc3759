import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cacheFolder } from '../../dataset/locate.ts';
import type { Diagram } from '../../drawing/diagram.ts';
import { expectUsableName, fileError, makeFolder } from '../../files.ts';
import type { Io } from '../terminal/io.ts';
import { openInBrowser } from '../terminal/open.ts';

/** Files to write a drawing to. */
export interface DrawingFiles {
  readonly svg?: string;
  readonly html?: string;
  /** Whether to show the page in the browser. */
  readonly open?: true;
}

/** Writes a drawing to the given files, and their names to stderr. @param page returns the page as HTML.
 *  @throws FileError if one cannot be written. */
export async function draw(
  diagram: Diagram,
  page: () => Promise<string>,
  { svg, ...files }: DrawingFiles,
  io: Io,
): Promise<void> {
  if (svg !== undefined) {
    const { renderSvg } = await import('../../drawing/render.ts');
    await write(svg, await renderSvg(diagram), io);
  }
  await drawPage(page, files, io);
}

/** Writes a page to the given file, or to one to look at, and opens it. @throws FileError if it cannot be written. */
export async function drawPage(
  page: () => Promise<string>,
  { html, open }: Omit<DrawingFiles, 'svg'>,
  io: Io,
): Promise<void> {
  if (html === undefined && !open) return;
  const file = html ?? (await fileToLookAt(io));
  await write(file, await page(), io);
  if (open) await openInBrowser(io, path.resolve(file));
}

async function write(file: string, content: string, io: Io): Promise<void> {
  expectUsableName(file);
  await writeFile(path.resolve(file), content).catch((error) => {
    throw fileError(`cannot write the drawing ${file}`, error);
  });
  io.stderr.write(`wrote ${file}\n`);
}

/** The file of a page that is only looked at: always the same one, so that pages do not pile up. It is not in the folder for
 *  temporary files, which other people may write to. */
async function fileToLookAt(io: Io): Promise<string> {
  const file = path.join(cacheFolder(io.env) ?? tmpdir(), 'explain.html');
  await makeFolder(path.dirname(file)).catch((error) => {
    throw fileError(`cannot write the drawing ${file}`, error);
  });
  return file;
}
