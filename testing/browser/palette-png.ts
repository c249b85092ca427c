import { crc32, deflateSync } from 'node:zlib';

/**
 * A PNG of at most 256 colours from RGBA pixels: a third of the size of Chromium's own for a page of text and flat areas.
 * The most frequent colours stay as they are; the rest, edges of letters mostly, become the nearest of them.
 */
const coloursMax = 256;

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(data.length, 0);
  body.copy(made, 4);
  made.writeUInt32BE(crc32(body), body.length + 4);
  return made;
};

const channels = (colour: number): [number, number, number] => [
  colour >> 16,
  (colour >> 8) & 255,
  colour & 255,
];

const distance = (a: number, b: number): number => {
  const [x, y] = [channels(a), channels(b)];
  return x.reduce((sum, channel, i) => sum + (channel - (y[i] as number)) ** 2, 0);
};

/** The palette, and the place in it of every colour of the picture. */
const quantise = (colours: Uint32Array): { palette: number[]; places: Map<number, number> } => {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const byCount = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  const palette = byCount.slice(0, coloursMax);
  const places = new Map(palette.map((colour, place) => [colour, place]));
  for (const colour of byCount.slice(coloursMax)) {
    const distances = palette.map((one) => distance(colour, one));
    places.set(colour, distances.indexOf(Math.min(...distances)));
  }
  return { palette, places };
};

export const palettePng = (rgba: Uint8Array, width: number): Buffer => {
  const height = rgba.length / 4 / width;
  const colours = Uint32Array.from({ length: width * height }, (_, i) => {
    const [r, g, b] = rgba.subarray(4 * i, 4 * i + 3) as unknown as [number, number, number];
    return (r << 16) | (g << 8) | b;
  });
  const { palette, places } = quantise(colours);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits a pixel, indexed colour; the standard compression, filters and no interlacing.
  header.set([8, 3, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (const [i, colour] of colours.entries())
    rows[Math.floor(i / width) * (width + 1) + 1 + (i % width)] = places.get(colour) as number;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap(channels))),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
};
