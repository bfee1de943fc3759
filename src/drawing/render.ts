import type { Diagram } from './diagram.ts';
import { layOut } from './layout.ts';
import { PAGE_STYLE } from './page-style.ts';
import { svgElement } from './svg.ts';
import { escapeXml } from './text.ts';

/** Renders a diagram as an SVG file: values in green above the wires, gradients in red below, as in the lecture. */
export async function renderSvg(diagram: Diagram): Promise<string> {
  const layout = await layOut(diagram);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svgElement(diagram, layout, true)}\n`;
}

/** Renders diagrams as one self-contained web page. @param notes paragraphs below the drawings. */
export async function renderHtml(diagrams: readonly Diagram[], notes: readonly string[]): Promise<string> {
  const figures: string[] = [];
  for (const diagram of diagrams) {
    const title = escapeXml(diagram.title);
    figures.push(
      `<figure>\n<figcaption><h2>${title}</h2></figcaption>\n` +
        `<div class="scroll" tabindex="0" role="group" aria-label="${title}">\n` +
        `${svgElement(diagram, await layOut(diagram), false)}\n</div>\n</figure>`,
    );
  }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(diagrams[0]?.title ?? 'Computational graphs')}</title>
<style>
${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>${diagrams.length === 1 ? 'Computational graph' : 'Computational graphs'}</h1>
<p class="legend"><span class="value">Above each wire: its value.</span> <span class="gradient">Below: the gradient of the output with respect to it.</span></p>
${figures.join('\n')}
${notes.map((note) => `<p>${escapeXml(note)}</p>`).join('\n')}
</main>
</body>
</html>
`;
}
