import { h } from '../dom.ts';
import { type Configuration, deviation, type Images, mean, testAccuracy } from './configurations.ts';

const NOTE = 'Validation accuracy is from the best epoch, losses are from the last one.';

/** Returns a sentence on whether the test accuracies of the first two configurations differ by more than chance. */
export function verdict({ configurations }: Images): HTMLElement {
  const [first, second] = configurations.filter(({ runs }) => runs.some(({ run }) => run.test));
  const sentences = first && second ? [comparison(first, second), certainty(first, second)] : [];
  return h('p', { class: 'caption' }, [...sentences, NOTE].join(' '));
}

const tests = ({ runs }: Configuration): (number | null)[] => runs.map(({ run }) => testAccuracy(run));

function comparison(first: Configuration, second: Configuration): string {
  const lead = mean(tests(first))! - mean(tests(second))!;
  const points = `${(100 * Math.abs(lead)).toFixed(2)} percentage points`;
  return lead >= 0
    ? `${first.letter} leads ${second.letter} by ${points} on the test images.`
    : `${first.letter} is ahead on the validation images, ${second.letter} on the test images, by ${points}.`;
}

function certainty(first: Configuration, second: Configuration): string {
  const hasSeeds = [first, second].every((one) => deviation(tests(one)) !== null);
  const [one, other] = [first, second].map((each) => (hasSeeds ? spreadOf(each) : intervalOf(each)));
  const ranges = hasSeeds ? 'ranges of mean ± deviation' : '95\u00a0% confidence intervals';
  return one[0] <= other[1] && other[0] <= one[1]
    ? `Their ${ranges} overlap, so their order may be due to chance: repeat both with ${hasSeeds ? 'more' : 'other'} seeds before ` +
        'you choose.'
    : `Their ${ranges} do not overlap, so ${hasSeeds ? 'other seeds' : 'other test images'} are unlikely to change their order.`;
}

type Range = readonly [low: number, high: number];

function spreadOf(one: Configuration): Range {
  const [centre, spread] = [mean(tests(one))!, deviation(tests(one))!];
  return [centre - spread, centre + spread];
}

/** The interval of the best run, for want of several. */
function intervalOf({ runs }: Configuration): Range {
  return runs.find(({ run }) => run.test)!.run.test!.interval;
}
