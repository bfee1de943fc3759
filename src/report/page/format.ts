/** What stands where there is no number. */
const NONE = '–';

type Maybe = number | null | undefined;

const isNumber = (value: Maybe): value is number => typeof value === 'number' && Number.isFinite(value);

const counts = new Intl.NumberFormat('en');

/** 49,000 */
export const count = (value: Maybe): string => (isNumber(value) ? counts.format(value) : NONE);

/** 1.7019, or 1.71e+29 of a model that has diverged. */
export function loss(value: Maybe): string {
  if (!isNumber(value)) return NONE;
  return value < 1e5 ? value.toFixed(4) : value.toExponential(2);
}

/** A share in [0, 1] as 41.85 %. */
export const percent = (value: Maybe, digits = 2): string =>
  isNumber(value) ? `${(100 * value).toFixed(digits)}\u00a0%` : NONE;

/** 0.00300, 2.48e-9 */
export function small(value: Maybe): string {
  if (!isNumber(value)) return NONE;
  return value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(2) : value.toPrecision(3);
}

/** 1.59 s, 2 min 05 s, 1 h 02 min */
export function duration(seconds: Maybe): string {
  if (!isNumber(seconds)) return NONE;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)}\u00a0s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min ${two(whole % 60)}\u00a0s`;
  return `${Math.floor(whole / 3600)}\u00a0h ${two((whole % 3600) / 60)}\u00a0min`;
}

/** The same where it is only known roughly. */
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

/** "1 epoch", "10 epochs" */
export const plural = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

/** A path as a shell takes it. */
export const shellWord = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

/** The last part of a path. */
export const baseName = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
