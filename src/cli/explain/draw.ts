import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Diagram } from '../../drawing/diagram.ts';
import { expectUsableName, fileError } from '../../files.ts';
import type { Io } from '../terminal/io.ts';

/** Files to write a drawing to. */
export interface DrawingFiles {
  readonly svg?: string;
  readonly html?: string;
}

/** Writes a drawing to the given files, and their names to stderr. @throws FileError if one cannot be written. */
export async function draw(
  diagram: Diagram,
  notes: readonly string[],
  { svg, html }: DrawingFiles,
  io: Io,
): Promise<void> {
  if (svg === undefined && html === undefined) return;
  const { renderHtml, renderSvg } = await import('../../drawing/render.ts');
  const write = async (file: string, content: string) => {
    expectUsableName(file);
    await writeFile(path.resolve(file), content).catch((error) => {
      throw fileError(`cannot write the drawing ${file}`, error);
    });
    io.stderr.write(`wrote ${file}\n`);
  };
  if (svg !== undefined) await write(svg, await renderSvg(diagram));
  if (html !== undefined) await write(html, await renderHtml([diagram], notes));
}
