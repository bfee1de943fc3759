import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { Config } from '../../config/config.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import { makeFolder, removeQuietly, writeFileAtomic } from '../../files.ts';
import { readRegularFile } from '../../read-file.ts';
import { decodeProgress, decodeTimes, expectFinite } from '../../runs/decode.ts';
import { parseOrUndefined } from '../../runs/json-lines.ts';
import { MAX_CHECKPOINT_BYTES } from '../../runs/run-directory.ts';
import type { Checkpoint, EpochMetrics } from '../../training/progress.ts';
import { EPOCH_METRICS } from '../../training/schemas.ts';
import { decodeSafetensors } from '../../weights/decode.ts';
import { encodeSafetensors } from '../../weights/safetensors.ts';

/** Folder of the checkpoints in that of the sweep. */
const CHECKPOINTS = 'checkpoints';

/** A checkpoint of a trial, with the epochs so far. */
export interface TrialCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly epochs: readonly EpochMetrics[];
}

/** The last checkpoint of each training that may go on. It is a cache: whoever finds none trains again, to the same bits. So a
 *  checkpoint that is missing, damaged or of another configuration counts as none, and one that cannot be saved is no error. */
export class Checkpoints {
  readonly #folder: string;

  /** @param place folder of the sweep, or of a worker. */
  constructor(place: string) {
    this.#folder = path.join(place, CHECKPOINTS);
  }

  /** Resolves to undefined if there is no checkpoint of this configuration. */
  async load(config: Config): Promise<TrialCheckpoint | undefined> {
    const file = this.#fileOf(trainingName(config));
    try {
      const { tensors, metadata } = decodeSafetensors(await readRegularFile(file, MAX_CHECKPOINT_BYTES), file);
      if (metadata.config !== configKey(config)) return undefined;
      expectFinite(tensors, file);
      const progress = decodeProgress(metadata.progress, file, config);
      const epochs = v.parse(v.array(EPOCH_METRICS), parseOrUndefined(metadata.epochs));
      if (epochs.length !== (progress.lastEpoch?.epoch ?? 0)) return undefined;
      return { checkpoint: { progress, times: decodeTimes(metadata.times), tensors }, epochs };
    } catch {
      return undefined;
    }
  }

  async save(config: Config, { checkpoint, epochs }: TrialCheckpoint): Promise<void> {
    const { progress, times, tensors } = checkpoint;
    const metadata = {
      config: configKey(config),
      progress: JSON.stringify(progress),
      times: JSON.stringify(times),
      epochs: JSON.stringify(epochs),
    };
    try {
      await makeFolder(this.#folder);
      await writeFileAtomic(this.#fileOf(trainingName(config)), encodeSafetensors({ tensors, metadata }));
    } catch {}
  }

  /** Whoever reads one at this moment trains again if it is gone. @param trainings their names. */
  async remove(trainings: readonly string[]): Promise<void> {
    const files = new Set(trainings.map((training) => this.#fileOf(training)));
    for (const name of files.size > 0 ? await readdir(this.#folder).catch(() => []) : []) {
      const file = path.join(this.#folder, name);
      if (files.has(file)) await removeQuietly(file);
    }
  }

  async removeAll(): Promise<void> {
    await removeQuietly(this.#folder);
  }

  #fileOf(training: string): string {
    return path.join(this.#folder, `${training}.safetensors`);
  }
}

/** Identifies a training by its configuration, seed included: sweeps that share a folder share those that are the same. */
export function trainingName(config: Config): string {
  return createHash('sha256').update(configKey(config)).digest('hex').slice(0, 16);
}

/** SHA-256 of the tensors and the progress of a checkpoint, without measured times. */
export function weightsHash({ progress, tensors }: Checkpoint): string {
  const bytes = encodeSafetensors({ tensors, metadata: { progress: JSON.stringify(progress) } });
  return createHash('sha256').update(bytes).digest('hex');
}

function configKey(config: Config): string {
  return JSON.stringify(effectiveConfig(config));
}
