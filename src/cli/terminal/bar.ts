import { type Options, Presets, SingleBar } from 'cli-progress';

/** Creates a progress bar that disappears when it is done. */
export function makeBar(stream: NodeJS.WriteStream, format: string, options: Options = {}): SingleBar {
  return new SingleBar(
    {
      stream,
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
