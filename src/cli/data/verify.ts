import type { Source } from '../../dataset/locate.ts';
import type { Verification } from '../../dataset/store.ts';
import { verifySource } from '../../dataset/verify.ts';
import { EXIT } from '../../errors.ts';
import { printImageNote } from '../inputs/images.ts';
import { showControls } from '../terminal/controls.ts';
import { wrap } from '../terminal/format.ts';
import { runUntilInterrupted } from '../terminal/interrupt.ts';
import { type Io, painter, textWidth } from '../terminal/io.ts';
import { type Column, tableLines } from '../terminal/table.ts';
import { findSource, KIND_NAME } from './source.ts';

export interface VerifyOptions {
  readonly trust?: true;
  readonly json?: true;
}

/** `nn-train data verify [PATH]`: compares the six files with the published ones. Resolves to the exit code. */
export function runVerify(path: string | undefined, options: VerifyOptions, io: Io): Promise<number> {
  return runUntilInterrupted(io, async (signal) => {
    const source = await findSource(path, io);
    const verification = await verifySource(source, {
      signal,
      trust: options.trust,
      onNote: (note) => printImageNote(note, io),
    });
    const isIntact = verification.files.every(({ ok }) => ok);
    if (options.json) {
      io.stdout.write(`${JSON.stringify({ ...source, ok: isIntact, ...verification })}\n`);
    } else {
      io.stdout.write(
        verdictLines(source, verification, io)
          .map((line) => `${line}\n`)
          .join(''),
      );
    }
    return isIntact ? EXIT.done : EXIT.data;
  });
}

/** Digits of a hash in the table; --json prints all of them. */
const SHOWN_DIGITS = 16;

function verdictLines(source: Source, { official, files }: Verification, io: Io): string[] {
  const paint = painter(io.stdout, io.env);
  const width = textWidth(io.stdout);
  const columns: readonly Column[] = [
    { header: 'file', align: 'left' },
    { header: 'SHA-256', align: 'left' },
    { header: 'expected', align: 'left' },
    { header: 'verdict', align: 'left' },
  ];
  const short = (hash: string | null) => hash?.slice(0, SHOWN_DIGITS) ?? 'missing';
  const rows = files.map(({ name, sha256, wanted, ok }) => [
    [name],
    [short(sha256)],
    [short(wanted)],
    [ok ? paint('green', '✓ same') : paint('red', '✗ differs')],
  ]);
  return [
    `${paint('bold', 'images   ')}${showControls(source.path)}`,
    `${paint('bold', 'format   ')}${KIND_NAME[source.kind]}`,
    '',
    ...tableLines(columns, rows, paint, width),
    '',
    ...wrap(conclusion({ official, files }, paint), io.stdout.columns ?? Infinity),
  ];
}

function conclusion({ official, files }: Verification, paint: ReturnType<typeof painter>): string {
  const differing = files.filter(({ ok }) => !ok).length;
  if (differing > 0) {
    const why = differing === files.length ? 're-encoded, reordered or other images' : 'damaged or changed';
    return paint('red', `${differing} of the ${files.length} files ${differing === 1 ? 'differs' : 'differ'}: ${why}`);
  }
  return official
    ? paint('green', `all ${files.length} files have the published SHA-256`)
    : paint(
        'yellow',
        `all ${files.length} files are unchanged since they were trusted; they are not the official ones`,
      );
}
