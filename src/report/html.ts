import { pageHtml } from '../page-file.ts';
import type { ReportData } from './report-data.ts';
import type { SweepReport } from './sweep/sweep-data.ts';

const ICON =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M1.5 2v12.5H15" fill="none" stroke="#888"/>' +
      '<path d="M3 4c2 7 5 8 11 8.5" fill="none" stroke="#c8500a" stroke-width="2"/></svg>',
  );

/** Returns the report of runs or of a sweep as one self-contained HTML file. It contains the data as JSON, and a script
 *  (src/report/page) that renders them.
 *
 *  @param options.live whether the page listens to /events on the server that served it; every event must be a complete
 *  RunReport as JSON. If false, the page is not allowed to open any connection. */
export function reportHtml(data: ReportData | SweepReport, options: { readonly live?: boolean } = {}): string {
  const title = 'trials' in data ? data.name : data.runs.map(({ name }) => name).join(', ');
  return pageHtml({
    bundle: 'report',
    title: title || data.generator,
    generator: data.generator,
    icon: ICON,
    data: withoutUnused(data),
    noScript: 'This report needs JavaScript to be displayed.',
    attributes: options.live ? ' data-live' : '',
    policy: {
      // Observable Plot adds a style element to every chart.
      'style-src': "'unsafe-inline'",
      ...(options.live ? { 'connect-src': "'self'" } : {}),
    },
  });
}

/** Removes the pictures and the steps from the data of a comparison, which shows neither. */
function withoutUnused(data: ReportData | SweepReport): ReportData | SweepReport {
  if ('trials' in data || data.runs.length === 1) return data;
  const runs = data.runs.map((run) => ({
    ...run,
    steps: { step: [], loss: [], accuracy: [], learningRate: [] },
    updateRatios: [],
    test: run.test && { ...run.test, mistakes: [] },
    pictures: null,
  }));
  return { ...data, runs };
}
