export type CsvValue = string | number | boolean | null | undefined;

/** Text of a CSV file with a header. Values with a comma, a quote, a line break or spaces at an end are quoted, as in RFC 4180; lines
 *  end in a newline alone, as shell tools expect. No value is an empty one. */
export function csvOf(header: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return [header, ...rows].map((row) => `${row.map(csvField).join(',')}\n`).join('');
}

function csvField(value: CsvValue): string {
  const text = String(value ?? '');
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
