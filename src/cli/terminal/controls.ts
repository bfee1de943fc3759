/** Text from outside (a server, a file, an archive) must not command the terminal, so control characters are shown. */

/** C0, DEL and C1, and the characters that reorder the text around them. */
const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
/** The colours that `painter` sets. */
const COLOUR = new RegExp(`(${String.fromCharCode(0x1b)}\\[[\\d;]*m)`);

/** Shows control characters, except tabs and newlines, as `\u001b`: as JSON does, so that JSON stays the same. */
export function showControls(text: string): string {
  return text.replace(CONTROLS, (control) => (control === '\t' || control === '\n' ? control : escaped(control)));
}

/** The same, but keeps colours. */
export function showControlsExceptColours(text: string): string {
  return text
    .split(COLOUR)
    .map((part, i) => (i % 2 === 0 ? showControls(part) : part))
    .join('');
}

/** A word with control characters, quoted for bash and zsh; undefined if it has none. */
export function wordWithControls(word: string): string | undefined {
  const quoted = word.replace(/['\\]/g, '\\$&').replace(CONTROLS, escaped);
  return word.search(CONTROLS) < 0 ? undefined : `$'${quoted}'`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
