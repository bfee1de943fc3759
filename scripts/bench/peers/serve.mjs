import { createInterface } from 'node:readline';
import { readTrainingSet, shuffledBatches } from './cifar.mjs';

/** Few enough for the slowest peer, which takes seconds per step. */
const MIN_STEPS = 3;
/** Warm-up before a measurement, as a share of its time: enough for just-in-time compilers. */
const WARM_UP = 0.25;

/** Runs a peer: announces itself, then trains on request until stdin ends.
 *
 *  `makeStepper(request, set, batches)` returns { step(), loss(), close() }, all of which may be async; `batches` is an
 *  endless iterator of row numbers. `modes` names the ways in which this peer can train; a request picks one. */
export async function serve({ name, settings, modes = ['default'], makeStepper }) {
  console.log = console.error; // stdout is for answers only
  const folder = process.argv[2];
  const set = readTrainingSet(folder);
  answer({ ready: true, name, settings, modes, loadSeconds: set.seconds });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    try {
      answer(
        request.load ? { loadSeconds: readTrainingSet(folder).seconds } : await measure(request, set, makeStepper),
      );
    } catch (error) {
      answer({ error: `${error?.message ?? error}` });
    }
  }
  process.exit();
}

async function measure(request, set, makeStepper) {
  const stepper = await makeStepper(request, set, shuffledBatches(set.labels.length, request.batch));
  try {
    await train(stepper, request.seconds * WARM_UP, 1);
    const { steps, seconds, loss } = await train(stepper, request.seconds, MIN_STEPS);
    return { imagesPerSecond: (steps * request.batch) / seconds, loss, steps };
  } finally {
    await stepper.close();
  }
}

async function train(stepper, minSeconds, minSteps) {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  let steps = 0;
  while (steps < minSteps || elapsed() < minSeconds) {
    await stepper.step();
    steps++;
  }
  const loss = await stepper.loss(); // before reading the clock: a lazy peer has to finish its work
  return { steps, seconds: elapsed(), loss };
}

function answer(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}
