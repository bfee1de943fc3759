import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';

/** How well the gradient of one parameter agrees with central differences. */
export interface GradientCheck {
  readonly parameter: string;
  /** max |analytic − numeric| / max (|analytic| + |numeric|), both maxima over all coordinates; 0 if all are zero. */
  readonly relativeError: number;
  /** The coordinate that differs most, in row-major order, and its two gradients. */
  readonly worst: { readonly index: number; readonly analytic: number; readonly numeric: number };
}

/** Compares the gradient of `loss` by every parameter with central differences, (f(w + h) − f(w − h))/2h, coordinate by
 *  coordinate. Evaluates the graph twice for each coordinate, and leaves the parameters as they were.
 *
 *  @param h the step; 1e-5 balances truncation (h²) and rounding (1e-16/h) in float64.
 *  @throws TypeError on a float32 backend, whose rounding would drown the differences.
 *  Source: CS231n notes, "Neural Networks 3" (gradient checks). */
export async function checkGradients(graph: Graph, loss: Wire, h = 1e-5): Promise<GradientCheck[]> {
  const { backend } = graph;
  if (backend.dtype !== 'float64') throw new TypeError(`gradients are checked in float64, got ${backend.dtype}`);
  const pass = { training: true, key: 1 };
  graph.forward(pass);
  graph.backward(loss);

  const lossAt = async (parameter: Wire, values: ArrayLike<number>): Promise<number> => {
    backend.write(parameter.tensor, values);
    graph.forward(pass);
    return (await backend.read(loss.tensor))[0];
  };

  const checks: GradientCheck[] = [];
  for (const parameter of graph.parameters) {
    const analytic = await backend.read(parameter.gradient);
    const values = await backend.read(parameter.tensor);
    const numeric = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      values[i] = value + h;
      const above = await lossAt(parameter, values);
      values[i] = value - h;
      const below = await lossAt(parameter, values);
      values[i] = value;
      numeric[i] = (above - below) / (2 * h);
    }
    await lossAt(parameter, values);
    checks.push({ parameter: parameter.name, ...compareGradients(analytic, numeric) });
  }
  return checks;
}

function compareGradients(
  analytic: ArrayLike<number>,
  numeric: ArrayLike<number>,
): Pick<GradientCheck, 'relativeError' | 'worst'> {
  let [largest, difference, index] = [0, -1, 0];
  for (let i = 0; i < analytic.length && !Number.isNaN(difference); i++) {
    largest = Math.max(largest, Math.abs(analytic[i]) + Math.abs(numeric[i]));
    const distance = Math.abs(analytic[i] - numeric[i]);
    if (distance <= difference) continue;
    difference = distance;
    index = i;
  }
  const worst = { index, analytic: analytic[index], numeric: numeric[index] };
  return { relativeError: largest === 0 ? 0 : difference / largest, worst };
}
