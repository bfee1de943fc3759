import { pageHtml } from '../page-file.ts';
import type { ExplorerData } from './explorer-data.ts';
import type { NetworkData } from './network/network-data.ts';

const ICON =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M1 8h4M11 8h4" stroke="#888" stroke-width="2"/>' +
      '<circle cx="8" cy="8" r="4" fill="none" stroke="#3867a8" stroke-width="2"/></svg>',
  );

/** Returns a page to explore a graph as one self-contained HTML file. It computes with the gates of the engine, which its
 *  script contains. @param title of the page until its script runs. */
export function explorerHtml(data: ExplorerData, title: string): string {
  return pageHtml({
    bundle: 'explorer',
    title,
    generator: data.generator,
    icon: ICON,
    data,
    noScript: 'This page needs JavaScript, as it computes what it shows.',
    // Graphviz, which lays the graph out, is WebAssembly.
    policy: { 'script-src': "'wasm-unsafe-eval'" },
  });
}

/** Returns a page to explore the training graph of a network as one self-contained HTML file. It only shows what was computed
 *  when it was written. */
export function networkHtml(data: NetworkData): string {
  return pageHtml({
    bundle: 'explorer/network',
    title: data.title,
    generator: data.generator,
    icon: ICON,
    data,
    noScript: 'This page needs JavaScript, as it draws what it shows.',
  });
}
