// Where the image stands on the stage, and how image and outlines are drawn there.
import type { OutlineRegion, Point, SeriesSegmentation, ViewInstance } from '../api/types';
import type { Place, Shape } from './measure';

/** From image pixels to stage pixels: `stage = at + pixel * scale`, per axis. */
export interface Placement {
  x: number;
  y: number;
  scaleX: number;
  scaleY: number;
}

/** The image centred on the stage at its true proportions, zoomed and moved. */
export function place(
  instance: ViewInstance,
  stage: { width: number; height: number },
  zoom: number,
  pan: { x: number; y: number },
): Placement {
  const [rowMm, columnMm] = instance.pixel_spacing_mm ?? [1, 1];
  const [width, height] = [instance.columns * columnMm, instance.rows * rowMm];
  const scale = Math.min(stage.width / width, stage.height / height) * zoom;
  return {
    x: (stage.width - width * scale) / 2 + pan.x,
    y: (stage.height - height * scale) / 2 + pan.y,
    scaleX: columnMm * scale,
    scaleY: rowMm * scale,
  };
}

/** The pixel under a place on the stage, if there is one. */
export function pixelAt(instance: ViewInstance, at: Placement, x: number, y: number) {
  const [column, row] = [Math.floor((x - at.x) / at.scaleX), Math.floor((y - at.y) / at.scaleY)];
  const inside = column >= 0 && row >= 0 && column < instance.columns && row < instance.rows;
  return inside ? { column, row } : null;
}

/** Above this many stage pixels a sample, samples show as squares: nothing is invented between them. */
const SMOOTH_BELOW = 5;

export function drawImage(context: CanvasRenderingContext2D, image: CanvasImageSource, instance: ViewInstance, at: Placement) {
  context.imageSmoothingEnabled = at.scaleX < SMOOTH_BELOW;
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, at.x, at.y, instance.columns * at.scaleX, instance.rows * at.scaleY);
}

export function drawOutlines(
  context: CanvasRenderingContext2D,
  regions: OutlineRegion[],
  instanceUid: string,
  at: Placement,
) {
  for (const { color, polygons } of regions) {
    for (const { instance_uid, points } of polygons) {
      if (instance_uid !== instanceUid) continue;
      trace(context, points, at);
      context.lineWidth = 3.5;
      context.strokeStyle = 'rgb(0 0 0 / 45%)';
      context.stroke();
      context.lineWidth = 1.75;
      context.strokeStyle = `rgb(${color.join(' ')})`;
      context.stroke();
    }
  }
}

/** The centre of the first pixel is (0, 0). */
function trace(context: CanvasRenderingContext2D, points: Point[], at: Placement) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(at.x + (x + 0.5) * at.scaleX, at.y + (y + 0.5) * at.scaleY);
  context.closePath();
}

/** A painted layer on its own matrix, which may be coarser, turned or moved against that of the slice. */
export function drawLayer(
  context: CanvasRenderingContext2D,
  layer: CanvasImageSource,
  grid: SeriesSegmentation['grids'][number] | null,
  at: Placement,
) {
  const [a, b, c, d, e, f] = grid ?? [1, 0, 0, 1, 0, 0];
  context.save();
  context.imageSmoothingEnabled = false;
  context.transform(at.scaleX, 0, 0, at.scaleY, at.x, at.y);
  // Grids go from centre to centre; a canvas counts from corners.
  context.transform(a, c, b, d, e + 0.5 - (a + b) / 2, f + 0.5 - (c + d) / 2);
  context.drawImage(layer, 0, 0);
  context.restore();
}

const SHAPE_COLOR = '#ffe04d';
const CURSOR_COLOR = '#7df9ff';

export const toStage = (at: Placement, [x, y]: Place): Place => [at.x + x * at.scaleX, at.y + y * at.scaleY];
export const toPixels = (at: Placement, x: number, y: number): Place => [(x - at.x) / at.scaleX, (y - at.y) / at.scaleY];

export function drawShape(context: CanvasRenderingContext2D, { kind, from, to }: Shape, at: Placement, label: string) {
  const [[left, top], [right, bottom]] = [toStage(at, from), toStage(at, to)];
  context.beginPath();
  if (kind === 'rectangle') context.rect(left, top, right - left, bottom - top);
  else if (kind === 'ellipse')
    context.ellipse((left + right) / 2, (top + bottom) / 2, Math.abs(right - left) / 2, Math.abs(bottom - top) / 2, 0, 0, 2 * Math.PI);
  else {
    context.moveTo(left, top);
    context.lineTo(right, bottom);
  }
  strokeTwice(context, SHAPE_COLOR);
  write(context, label, Math.max(left, right) + 6, (top + bottom) / 2);
}

export function drawCursor(context: CanvasRenderingContext2D, cursor: Place, at: Placement) {
  const [x, y] = toStage(at, cursor);
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
    context.moveTo(x + dx * 4, y + dy * 4);
    context.lineTo(x + dx * 14, y + dy * 14);
  }
  strokeTwice(context, CURSOR_COLOR);
}

/** On black and on white alike. */
function strokeTwice(context: CanvasRenderingContext2D, color: string) {
  context.lineWidth = 3.5;
  context.strokeStyle = 'rgb(0 0 0 / 55%)';
  context.stroke();
  context.lineWidth = 1.5;
  context.strokeStyle = color;
  context.stroke();
}

function write(context: CanvasRenderingContext2D, text: string, x: number, y: number) {
  context.font = '12px system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.lineWidth = 3;
  context.strokeStyle = 'rgb(0 0 0 / 75%)';
  context.strokeText(text, x, y);
  context.fillStyle = SHAPE_COLOR;
  context.fillText(text, x, y);
}
