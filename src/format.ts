/** Numbers as texts for people: in messages, on the command line and in the report's page. */

/** 49,000. (Intl.NumberFormat takes a tenth of the time in which a command starts.) */
export function integer(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "1 epoch", "10 epochs" */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integer(count)} ${count === 1 ? one : many}`;
}

/** A share in [0, 1]: 41.85 %. */
export function percent(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** 1.7019, or 1.710e+29 after training has diverged. */
export function loss(value: number): string {
  return value < 1000 ? value.toFixed(4) : value.toPrecision(4);
}

/** 170.5 MB */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Any amount of memory: 512 B, 20.5 kB, 170.5 MB */
export function memory(bytes: number): string {
  return bytes < 1e4 ? `${integer(bytes)} B` : bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : megabytes(bytes);
}

/** Floating-point operations: 2.56 kFLOP, 805 MFLOP */
export function operations(count: number): string {
  const [unit, size] = count >= 1e9 ? ['GFLOP', 1e9] : count >= 1e6 ? ['MFLOP', 1e6] : ['kFLOP', 1e3];
  return `${(count / Number(size)).toPrecision(3)} ${unit}`;
}

/** A learning rate or another small number: 0.00300, 2.48e-9. */
export function small(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(2) : value.toPrecision(3);
}

/** 1.59 s, 2 min 05 s, 1 h 2 min */
export function seconds(value: number): string {
  if (value < 100) return `${value.toFixed(value < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(Math.round(value) / 60);
  const rest = String(Math.round(value) % 60).padStart(2, '0');
  return minutes < 60 ? `${minutes} min ${rest} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Local time: 2026-11-24 09:15:00. */
export function localTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(two).join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}
