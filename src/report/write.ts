import { writeFileAtomic } from '../files.ts';
import { VERSION } from '../runs/environment.ts';
import { reportHtml } from './html.ts';
import type { ReportData, RunReport } from './report-data.ts';
import type { SweepReport } from './sweep/sweep-data.ts';

/** Writes the report page of one run, or of several to compare. @throws FileError if the file cannot be written. */
export async function writeReport(file: string, runs: readonly RunReport[]): Promise<void> {
  await writeFileAtomic(file, reportHtml(reportDataOf(runs)));
}

/** Writes the report page of a sweep. @throws FileError if the file cannot be written. */
export async function writeSweepReport(file: string, sweep: SweepReport): Promise<void> {
  await writeFileAtomic(file, reportHtml(sweep));
}

export function reportDataOf(runs: readonly RunReport[]): ReportData {
  return { generator: `nn-train ${VERSION}`, runs };
}
