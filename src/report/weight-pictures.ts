import { percent } from '../format.ts';
import type { ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { pngDataUrl } from '../pictures/encode.ts';
import { templatePixels } from '../pictures/template.ts';
import { unitsByUse, weightRows } from './filters.ts';
import type { WeightPictures } from './report-data.ts';

const MAX_FILTERS = 64;

/** Draws the ten templates of a linear classifier, or the most used first-layer filters of a two-layer network.
 *
 *  @param images on which the use of filters is measured. Without images, the result for a network is null.
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
    return { kind: 'templates', pictures, total: pictures.length };
  }
  if (!images) return null;
  const used = await unitsByUse(model, images, signal);
  const filters = await weightRows(model, 'fc1.weight');
  const pictures = used.slice(0, MAX_FILTERS).map(({ unit, activeShare }) => ({
    picture: pngDataUrl(templatePixels(filters[unit])),
    name: `unit ${unit}`,
    detail: `active on ${percent(activeShare, 0)} of images`,
  }));
  return { kind: 'filters', pictures, total: used.length };
}
