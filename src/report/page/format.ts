import * as shared from '../../format.ts';

export { plural } from '../../format.ts';

/** Shown in place of a missing number. */
const NONE = '–';

type Maybe = number | null | undefined;

/** Keeps a number and its unit on one line; a missing or infinite number gives a dash. */
function shown(value: Maybe, text: (value: number) => string): string {
  return typeof value === 'number' && Number.isFinite(value) ? text(value).replaceAll(' ', '\u00a0') : NONE;
}

export const count = (value: Maybe): string => shown(value, shared.integer);
export const loss = (value: Maybe): string => shown(value, shared.loss);
export const percent = (value: Maybe, digits = 2): string => shown(value, (share) => shared.percent(share, digits));

/** An interval of shares: 56.8 to 58.8 % */
export const interval = ([low, high]: readonly [number, number]): string =>
  `${(100 * low).toFixed(1)} to ${percent(high, 1)}`;

export const small = (value: Maybe): string => shown(value, shared.small);
export const duration = (seconds: Maybe): string => shown(seconds, shared.seconds);

/** An estimated duration: 12 s, 2 min 05 s */
export const roughDuration = (seconds: number): string =>
  seconds < 60 ? `${Math.ceil(seconds)}\u00a0s` : duration(seconds);

/** 241 KiB */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  const amount = value / 1024 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)}\u00a0${units[power]}`;
}

/** One value of a configuration. */
export function setting(value: string | number | boolean | null | undefined): string {
  if (value === undefined) return NONE;
  if (value === null) return 'off';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

/** The last part of a path. */
export const baseName = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;

/** A text that begins with a capital letter. */
export const sentence = (text: string): string => `${text[0].toUpperCase()}${text.slice(1)}`;
