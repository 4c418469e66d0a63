// Where the image stands on the stage, and how image and outlines are drawn there.
import type { OutlineRegion, Point, ViewInstance } from '../api/types';

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
