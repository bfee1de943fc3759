/** By how much each filter of a two-layer network moves the logits of an image, on average: the sum over its hidden units of
 *  mean |activation| × ‖column of `fc2.weight`‖₂.
 *
 *  @param meanActivation [H], mean |activation| of each unit, by threshold, then filter. @param outputWeight `fc2.weight` [C, H].
 *  @param filters the number of filters. @returns one number for each filter. */
export function filterUse(
  meanActivation: ArrayLike<number>,
  outputWeight: ArrayLike<number>,
  filters: number,
): Float64Array {
  const H = meanActivation.length;
  const use = new Float64Array(filters);
  for (let unit = 0; unit < H; unit++) {
    let squares = 0;
    for (let i = unit; i < outputWeight.length; i += H) squares += outputWeight[i] ** 2;
    use[unit % filters] += meanActivation[unit] * Math.sqrt(squares);
  }
  return use;
}
