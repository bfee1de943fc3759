import type { Diagram } from './diagram.ts';
import { layOut } from './layout.ts';
import { svgElement } from './svg.ts';

/** Renders a diagram as an SVG file: values in green above the wires, gradients in red below, as in the lecture. */
export async function renderSvg(diagram: Diagram): Promise<string> {
  const layout = await layOut(diagram);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svgElement(diagram, layout)}\n`;
}
