import type { Graph } from '../../src/engine/graph.ts';
import type { Wire } from '../../src/engine/wire.ts';

/** Comparison of one parameter's gradient with central differences. */
interface CoordinateCheck {
  readonly parameter: string;
  /** max |analytic − numeric| / max (|analytic| + |numeric|), both maxima over all coordinates; 0 if all are zero. */
  readonly relativeError: number;
  /** Index of the coordinate that differs most, in row-major order. */
  readonly index: number;
  readonly numeric: Float64Array;
}

const PASS = { training: true, key: 1 };
/** Balances truncation (h²) and rounding (1e-16/h) in float64. */
const STEP = 1e-5;

/** Compares the gradient of `loss` with (f(w + h) − f(w − h))/2h at every coordinate of every parameter. Shares no code
 *  with src/gradcheck: gates are tested against this loop, and so is the gradient check itself. Avoids no kinks.
 *  Source: CS231n notes, "Neural Networks 3" (gradient checks). */
export async function checkEveryCoordinate(graph: Graph, loss: Wire): Promise<CoordinateCheck[]> {
  const { backend } = graph;
  graph.forward(PASS);
  graph.backward(loss);

  const lossAt = async (parameter: Wire, values: ArrayLike<number>): Promise<number> => {
    backend.write(parameter.tensor, values);
    graph.forward(PASS);
    return (await backend.read(loss.tensor))[0];
  };

  const checks: CoordinateCheck[] = [];
  for (const parameter of graph.parameters) {
    const analytic = await backend.read(parameter.gradient);
    const values = await backend.read(parameter.tensor);
    const numeric = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      values[i] = value + STEP;
      const above = await lossAt(parameter, values);
      values[i] = value - STEP;
      const below = await lossAt(parameter, values);
      values[i] = value;
      numeric[i] = (above - below) / (2 * STEP);
    }
    await lossAt(parameter, values);
    checks.push({ parameter: parameter.name, ...compare(analytic, numeric), numeric });
  }
  return checks;
}

function compare(
  analytic: ArrayLike<number>,
  numeric: ArrayLike<number>,
): Pick<CoordinateCheck, 'relativeError' | 'index'> {
  let [largest, difference, index] = [0, -1, 0];
  for (let i = 0; i < analytic.length && !Number.isNaN(difference); i++) {
    largest = Math.max(largest, Math.abs(analytic[i]) + Math.abs(numeric[i]));
    const distance = Math.abs(analytic[i] - numeric[i]);
    if (distance <= difference) continue;
    difference = distance;
    index = i;
  }
  return { relativeError: largest === 0 ? 0 : difference / largest, index };
}
