import { type Command, Help } from 'commander';
import { wrap } from './format.ts';

/** Minimum width of a description next to its term; if there is less room, it goes below. */
const MIN_DESCRIPTION = 28;
const INDENT = 6;

/** Layout of commander's part of the help, wrapped to the width of the terminal, however narrow. */
export const HELP_LAYOUT: Partial<Help> = {
  minWidthToWrap: MIN_DESCRIPTION,
  commandDescription: (command) => `${command.description().replace(/^./, (letter) => letter.toUpperCase())}.`,
  boxWrap: (text, width) => wrapped(text, width).join('\n'),
  formatItem(term, termWidth, description, helper) {
    const width = helper.helpWidth ?? 80;
    if (description === '' || width - termWidth - 4 >= MIN_DESCRIPTION) {
      return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
    }
    const lines = wrapped(description, width - INDENT);
    return [`  ${term}`, ...lines.map((line) => ' '.repeat(INDENT) + line)].join('\n');
  },
};

/** Wraps text, keeping "default:" and comparison signs with their values. */
function wrapped(text: string, width: number): string[] {
  const glued = text.replace(/(default:|[<≤≥>]) /g, '$1\u00a0');
  return wrap(glued, width).map((line) => line.replaceAll('\u00a0', ' '));
}

/** Adds text below the options of a command, reflowed to the width of the terminal. */
export function addNotes(command: Command, text: string): Command {
  return command.addHelpText('after', ({ error }) => {
    const { getErrHelpWidth, getOutHelpWidth } = command.configureOutput();
    const width = error ? getErrHelpWidth!() : getOutHelpWidth!();
    return `\n${reflow(text.trim(), width).join('\n')}`;
  });
}

/** Rewraps text. Adjacent unindented lines form a paragraph. An indented line with a gap of two spaces is a term and its
 *  description, which the lines aligned with it continue. Other indented lines are kept. */
export function reflow(text: string, width: number): string[] {
  const source = text.split('\n');
  const lines: string[] = [];
  while (source.length > 0) {
    const first = source.shift()!;
    const term = /^ +\S.*? {2,}(?=\S)/.exec(first)?.[0];
    if (term !== undefined) {
      const margin = ' '.repeat(term.length);
      const description = [first, ...takeWhile(source, (line) => line.startsWith(margin))].map((line) =>
        line.slice(term.length).trimStart(),
      );
      lines.push(...definition(term, description.join(' '), width));
    } else if (/^\S/.test(first)) {
      lines.push(...wrapped([first, ...takeWhile(source, (line) => /^\S/.test(line))].join(' '), width));
    } else lines.push(first);
  }
  return lines;
}

function definition(term: string, description: string, width: number): string[] {
  if (width - term.length < MIN_DESCRIPTION && term.length + description.length > width) {
    return [term.trimEnd(), ...wrapped(description, width - INDENT).map((line) => ' '.repeat(INDENT) + line)];
  }
  return wrapped(description, width - term.length).map((line, i) => (i === 0 ? term : ' '.repeat(term.length)) + line);
}

/** Removes and returns the leading lines that meet a condition. */
function takeWhile(lines: string[], condition: (line: string) => boolean): string[] {
  const end = lines.findIndex((line) => !condition(line));
  return lines.splice(0, end < 0 ? lines.length : end);
}
