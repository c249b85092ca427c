/// <reference lib="dom" />

/**
 * Diagonal stripes: incomplete figures must be recognisable without colour. One pattern per pair of colours and pixel
 * ratio; `ground` may be transparent.
 */
export const createHatch = () => {
  const made = new Map<string, CanvasPattern>();
  return (context: CanvasRenderingContext2D, ground: string, stripe: string, stepPx = 6): CanvasPattern => {
    const ratio = window.devicePixelRatio;
    const key = `${ground} ${stripe} ${stepPx} ${ratio}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const side = Math.round(stepPx * ratio);
    const tile = document.createElement('canvas');
    tile.width = side;
    tile.height = side;
    const pen = tile.getContext('2d') as CanvasRenderingContext2D;
    pen.fillStyle = ground;
    pen.fillRect(0, 0, side, side);
    pen.strokeStyle = stripe;
    pen.lineWidth = 1.5 * ratio;
    pen.beginPath();
    // Stripes through the corners too, so that neighbouring tiles join.
    for (const shift of [-side, 0, side]) {
      pen.moveTo(shift - 1, side + 1);
      pen.lineTo(shift + side + 1, -1);
    }
    pen.stroke();
    const pattern = context.createPattern(tile, 'repeat') as CanvasPattern;
    pattern.setTransform(new DOMMatrix().scale(1 / ratio));
    made.set(key, pattern);
    return pattern;
  };
};
export type Hatch = ReturnType<typeof createHatch>;
