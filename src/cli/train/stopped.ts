import type { Command } from 'commander';
import { UserError } from '../../errors.ts';
import type { RunStopped } from '../../runs/events.ts';
import { renderMessage } from '../inputs/field-names.ts';

/** The result of a run that stopped before its end, as in the log and in --json. These names are a contract. */
export function stoppedResult(
  { reason, cause, result, progress }: RunStopped,
  command: Command,
  env: NodeJS.ProcessEnv,
) {
  return { ...result, stopped: { reason, message: messageOf(cause, command, env), step: progress.step } };
}

/** The message of an error, or the name of a signal. */
function messageOf(cause: unknown, command: Command, env: NodeJS.ProcessEnv): string {
  if (cause instanceof UserError) return renderMessage(cause.text, env, command);
  return cause instanceof Error ? cause.message : String(cause);
}
