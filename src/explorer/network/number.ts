import { percent } from '../../format.ts';

/** A number with three significant digits, and the minus sign of print. */
export function short(value: number): string {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e4) ? size.toExponential(1) : String(Number(size.toPrecision(3)));
  return (value < 0 ? '−' : '') + text.replace('e-', 'e−').replace('e+', 'e');
}

/** A share in [0, 1]; one that is nearly but not quite 0 does not become 0. */
export function share(value: number): string {
  return value > 0 && value < 0.0005 ? '< 0.1 %' : percent(value, 1);
}
