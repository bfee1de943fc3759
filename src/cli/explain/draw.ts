import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Diagram } from '../../drawing/diagram.ts';
import { fileError } from '../../files.ts';

/** Files to write a drawing to. */
export interface DrawingFiles {
  readonly svg?: string;
  readonly html?: string;
}

/** Writes a drawing to the given files. @throws FileError if one cannot be written. */
export async function draw(diagram: Diagram, notes: readonly string[], { svg, html }: DrawingFiles): Promise<void> {
  if (svg === undefined && html === undefined) return;
  const { renderHtml, renderSvg } = await import('../../drawing/render.ts');
  const write = (file: string, content: string) =>
    writeFile(path.resolve(file), content).catch((error) => {
      throw fileError(`cannot write the drawing ${file}`, error);
    });
  if (svg !== undefined) await write(svg, await renderSvg(diagram));
  if (html !== undefined) await write(html, await renderHtml([diagram], notes));
}
