import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Diagram } from '../../drawing/diagram.ts';
import { expectUsableName, fileError } from '../../files.ts';
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
  { svg, html, open }: DrawingFiles,
  io: Io,
): Promise<void> {
  const write = async (file: string, content: string) => {
    expectUsableName(file);
    await writeFile(path.resolve(file), content).catch((error) => {
      throw fileError(`cannot write the drawing ${file}`, error);
    });
    io.stderr.write(`wrote ${file}\n`);
  };
  if (svg !== undefined) {
    const { renderSvg } = await import('../../drawing/render.ts');
    await write(svg, await renderSvg(diagram));
  }
  if (html === undefined && !open) return;
  const file = html ?? path.join(await mkdtemp(path.join(tmpdir(), 'nn-train-')), 'explain.html');
  await write(file, await page());
  if (open) await openInBrowser(io, path.resolve(file));
}
