import { type Options, Presets, SingleBar } from 'cli-progress';
import { rawStream } from './io.ts';

/** Creates a progress bar that disappears when it is done. */
export function makeBar(stream: NodeJS.WriteStream, format: string, options: Options = {}): SingleBar {
  return new SingleBar(
    {
      stream: rawStream(stream),
      format,
      barsize: 24,
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
