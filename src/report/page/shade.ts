type Colour = readonly [red: number, green: number, blue: number];

/** From nothing to all, in the light and in the dark theme. */
interface Ramp {
  readonly light: readonly [Colour, Colour];
  readonly dark: readonly [Colour, Colour];
}

const LIGHT: Colour = [250, 250, 248];
const DARK: Colour = [29, 33, 39];

export const RIGHT: Ramp = { light: [LIGHT, [8, 78, 145]], dark: [DARK, [125, 192, 255]] };
export const WRONG: Ramp = { light: [LIGHT, [168, 52, 0]], dark: [DARK, [255, 168, 108]] };

/** The CSS of a cell that is filled to a share in [0, 1]. The text is black or white, whichever differs more: at least
 *  4.5 to 1 on any colour. */
export function shade(share: number, ramp: Ramp): string {
  const [light, dark] = [ramp.light, ramp.dark].map(([from, to]) =>
    from.map((value, i) => Math.round(value + share * (to[i] - value))),
  );
  const css = ([r, g, b]: readonly number[]) => `rgb(${r} ${g} ${b})`;
  return `background:light-dark(${css(light)},${css(dark)});` + `color:light-dark(${textOn(light)},${textOn(dark)})`;
}

/** Source: WCAG 2.2, "contrast ratio": black and white are equally far from a relative luminance of 0.179. */
function textOn(colour: readonly number[]): string {
  const [r, g, b] = colour.map((value) => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000' : '#fff';
}
