import type { Config } from '../../config/config.ts';
import { effectiveConfig, resolveConfig } from '../../config/resolve.ts';
import { UsageError } from '../../errors.ts';
import { field, message } from '../../message.ts';
import { type Progress, type Schedules, wholeSchedule } from '../../training/progress.ts';
import type { SavedRun } from '../record.ts';

/** How far a run goes, and by which learning rates. */
export interface Course {
  readonly config: Config;
  readonly schedules: Schedules;
  /** Whether it is another one than the run has recorded. */
  readonly isNew: boolean;
}

/** The course of a resumed run. With another number of epochs, a new schedule leads from where the run stands to the new end.
 *  @param epochs in all; undefined to keep the recorded number.
 *  @throws UsageError if it is not a number of epochs, or if more are done. */
export function courseOf(record: SavedRun, { step, lastEpoch, epochImages }: Progress, epochs?: number): Course {
  const { config, schedules = wholeSchedule(config) } = record;
  if (epochs === undefined || epochs === config.epochs) return { config, schedules, isNew: false };
  const longer = resolveConfig({ ...effectiveConfig(config), epochs });
  const done = lastEpoch?.epoch ?? 0;
  if (epochs < done || (epochs === done && epochImages > 0)) {
    const soFar = epochImages > 0 ? `${done} and a part of the next` : String(done);
    throw new UsageError(
      message`${field('epochs')} is ${epochs}, but the run has done ${soFar}; give at least ${epochImages > 0 ? done + 1 : done}`,
    );
  }
  // A schedule by which no step was made is replaced.
  return {
    config: longer,
    schedules: [...schedules.filter((span) => span.step < step), { step, epochs }],
    isNew: true,
  };
}
