import { percent } from '../format.ts';
import { IMAGE_SIDE, type ImageSet } from '../images.ts';
import { fieldOf } from '../models/dense.ts';
import type { Model, ModelConfig } from '../models/model.ts';
import { pngDataUrl } from '../pictures/encode.ts';
import { templatePixels } from '../pictures/template.ts';
import { filterImages, filtersByUse, weightRows } from './filters.ts';
import type { WeightPictures } from './report-data.ts';

const MAX_FILTERS = 64;

/** Draws the ten templates of a linear classifier, or the most used first-layer filters of a two-layer network.
 *
 *  @param images on which the use of filters is measured. Without images, the result for a network is null.
 *  @throws the signal's reason, once it is aborted. */
export async function weightPictures(
  model: Model,
  config: ModelConfig,
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
  const used = await filtersByUse(model, images, signal);
  const imageOf = await filterImages(model, config);
  const pictures = used.slice(0, MAX_FILTERS).map(({ filter, activeShares }) => ({
    picture: pngDataUrl(templatePixels(imageOf(filter))),
    name: nameOf(config, filter, activeShares.length),
    detail: `active on ${activeShares.map((share) => percent(share, 0)).join(', ')} of images`,
  }));
  return { kind: 'filters', pictures, total: used.length };
}

function nameOf(config: ModelConfig, filter: number, units: number): string {
  if (config.receptiveField === IMAGE_SIDE) return `${units === 1 ? 'unit' : 'filter'} ${filter}`;
  const { field, corner } = fieldOf(config, filter);
  return `field ${field} (${corner.y}, ${corner.x}), filter ${filter % config.hidden}`;
}
