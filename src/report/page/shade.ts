type Colour = readonly [red: number, green: number, blue: number];

/** Colours for a share of 0 and a share of 1, in the light and in the dark theme. */
interface Ramp {
  readonly light: readonly [Colour, Colour];
  readonly dark: readonly [Colour, Colour];
}

const LIGHT: Colour = [250, 250, 248];
const DARK: Colour = [29, 33, 39];

export const CORRECT: Ramp = { light: [LIGHT, [8, 78, 145]], dark: [DARK, [125, 192, 255]] };
export const INCORRECT: Ramp = { light: [LIGHT, [168, 52, 0]], dark: [DARK, [255, 168, 108]] };

/** Returns the CSS of a cell shaded by a share in [0, 1]. The text is black or white, whichever has more contrast: at least
 *  4.5 to 1 on any colour. */
export function shade(share: number, ramp: Ramp): string {
  const [light, dark] = [ramp.light, ramp.dark].map(([from, to]) =>
    from.map((value, i) => Math.round(value + share * (to[i] - value))),
  );
  const css = ([r, g, b]: readonly number[]) => `rgb(${r} ${g} ${b})`;
  return `background:light-dark(${css(light)},${css(dark)});` + `color:light-dark(${textOn(light)},${textOn(dark)})`;
}

/** Returns the text colour with more contrast: black and white have equal contrast with a relative luminance of 0.179.
 *  Source: WCAG 2.2, "contrast ratio". */
function textOn(colour: readonly number[]): string {
  const [r, g, b] = colour.map((value) => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000' : '#fff';
}
