/** Label colours: the closest pair stays distinct for normal, protan, deutan and tritan sight; see docs. */
export const PALETTE = [
  '#4057DA', '#C8E928', '#831B11', '#DE77AB', '#40F5EC', '#9B9C18',
  '#404272', '#83C0FF', '#E1AF86', '#8385FA', '#CC243D', '#8C6088',
] as const;
const LIGHT_TEXT = new Set([0, 2, 6, 10, 11]);

export type LabelLook = { colour: string; text: string; casing: string; dash: string | undefined };

/** Look of the n-th label: colours come again with a dashed, then a dotted stroke. */
export function labelLook(index: number): LabelLook {
  const place = ((index % PALETTE.length) + PALETTE.length) % PALETTE.length;
  const round = Math.floor(index / PALETTE.length) % 3;
  const light = LIGHT_TEXT.has(place);
  return {
    colour: PALETTE[place]!,
    text: light ? '#ffffff' : '#000000',
    casing: light ? '#ffffff' : '#000000',
    dash: [undefined, '6 3', '2 3'][round],
  };
}

/** Fixed looks that are no labels. */
export const NEUTRAL: LabelLook = { colour: '#8a8f99', text: '#000000', casing: '#ffffff', dash: undefined };
export const RIGHT: LabelLook = { colour: '#008858', text: '#ffffff', casing: '#ffffff', dash: undefined };
export const WRONG: LabelLook = { colour: '#d54941', text: '#ffffff', casing: '#ffffff', dash: undefined };
export const TRUTH: LabelLook = { colour: '#0052d9', text: '#ffffff', casing: '#ffffff', dash: undefined };

/** On pictures: what is selected, its casing, and links with the keys that may be picked. */
export const SELECTION = '#0052d9';
export const MARK = '#ffffff';
export const LINK = '#b0187a';

/** Series colours of charts, by theme. */
export const SERIES = {
  light: ['#0072B2', '#D55E00', '#009E73', '#AA3377', '#5E5E5E'],
  dark: ['#56B4E9', '#E69F00', '#46BF96', '#CC79A7', '#BBBBBB'],
} as const;
export const CHART_TEXT = { light: '#4b4b4b', dark: '#c9c9c9' } as const;
export const CHART_LINE = { light: '#dcdcdc', dark: '#4b4b4b' } as const;
export const MATRIX = { light: ['#f2f7ff', '#0052d9'], dark: ['#24262b', '#82b0ff'] } as const;
