import { IMAGE_SIDE } from '../../../../images.ts';
import type { Filters } from '../../network-data.ts';

/** "dog", "filter 17", or "field 12, filter 3". */
export function filterName(
  row: number,
  { kind, perField, shown }: Filters,
  { classes }: { readonly classes: readonly string[] },
): string {
  if (kind === 'templates') return classes[row];
  if (shown[0].weights.size === IMAGE_SIDE) return `filter ${row}`;
  return `field ${Math.floor(row / perField)}, filter ${row % perField}`;
}
