import { type Options, Presets, SingleBar } from 'cli-progress';
import { rawStream } from './io.ts';

/** Whether a terminal has no room for a long bar and its texts. */
export function isNarrow({ columns }: NodeJS.WriteStream): boolean {
  return columns < 60;
}

/** Creates a progress bar that disappears when it is done. */
export function makeBar(stream: NodeJS.WriteStream, format: string, options: Options = {}): SingleBar {
  return new SingleBar(
    {
      stream: rawStream(stream),
      format,
      barsize: isNarrow(stream) ? 8 : 24,
      fps: 10,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      linewrap: null,
      ...options,
    },
    Presets.rect,
  );
}
