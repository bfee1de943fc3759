import { COLOURS } from './svg.ts';

/** Style sheet of a page of drawings. In dark mode its colours override those of the drawings. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: ${COLOURS.text}; --faint: ${COLOURS.detail}; --line: #d8dee4; --value: ${COLOURS.value}; --gradient: ${COLOURS.gradient}; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, Helvetica, Arial, sans-serif; }
main { max-width: 90rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { max-width: 45rem; overflow-wrap: anywhere; }
figure { margin: 2rem 0; }
.legend { margin-top: 0; }
span.value { color: var(--value); }
span.gradient { color: var(--gradient); }
.scroll { width: fit-content; max-width: 100%; box-sizing: border-box; overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
.scroll:focus-visible { outline: 2px solid ${COLOURS.outline}; outline-offset: 2px; }
svg { display: block; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --text: #e6e9ec; --faint: #9aa4ae; --line: #30363d; --value: #56d364; --gradient: #ff7b72; }
  .wire { stroke: #848d97; }
  .arrow, .dot { fill: #848d97; }
  .gate { fill: #1c2a3d; stroke: #79a8e8; }
  .label { fill: var(--text); }
  .detail { fill: var(--faint); }
  .value { fill: var(--value); }
  .gradient { fill: var(--gradient); }
}
@media print { .scroll { overflow: visible; border: 0; } }
`;
