import type { ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { pngDataUrl } from '../pictures/encode.ts';
import { templatePixels } from '../pictures/template.ts';
import { unitsByUse, weightRows } from '../training/filters.ts';
import type { WeightPictures } from './report-data.ts';

const MOST_FILTERS = 64;

/** The ten templates of a linear classifier, or the first-layer filters that a two-layer network uses most.
 *
 *  @param images decide which filters are used; without them there are templates only, and null for a network.
 *  @throws the signal's reason, once it is aborted. */
export async function weightPictures(
  model: Model,
  classes: readonly string[],
  images?: ImageSet,
  signal?: AbortSignal,
): Promise<WeightPictures | null> {
  if (!model.hidden) {
    const templates = await weightRows(model, 'linear.weight');
    const pictures = templates.map((weights, label) => ({
      picture: pngDataUrl(templatePixels(weights)),
      name: classes[label],
      detail: '',
    }));
    return { kind: 'templates', pictures, of: pictures.length };
  }
  if (!images) return null;
  const used = await unitsByUse(model, images, signal);
  const filters = await weightRows(model, 'fc1.weight');
  const pictures = used.slice(0, MOST_FILTERS).map(({ unit, activeShare }) => ({
    picture: pngDataUrl(templatePixels(filters[unit])),
    name: `unit ${unit}`,
    detail: `active on ${Math.round(100 * activeShare)} % of images`,
  }));
  return { kind: 'filters', pictures, of: used.length };
}
