// Measurements as people read them, on the image and in the list.
import { formatNumber } from '../app/format';
import { t } from '../messages';
import type { Measured, ShapeKind } from './measure';

const lengthText = ({ length, unit }: Measured) => `${formatNumber(length, 1)} ${unit}`;
const areaText = ({ area, unit }: Measured) => `${formatNumber(area, area < 100 ? 1 : 0)} ${unit === 'mm' ? 'mm²' : 'px'}`;

/** Values of a window: whole numbers unless the window itself is narrow, as for ratios and uptake. */
export const windowText = (value: number, width: number) => formatNumber(value, width >= 50 ? 0 : width >= 5 ? 1 : 2);

/** Beside the shape. */
export const shortText = (measured: Measured, kind: ShapeKind) =>
  kind === 'length' ? lengthText(measured) : measured.inside ? t('measure.short', { mean: formatNumber(measured.inside.mean, 1) }) : areaText(measured);

/** All of it, for the list and for screen readers. */
export function longText(measured: Measured, kind: ShapeKind, unit: string): string[] {
  if (kind === 'length') return [lengthText(measured)];
  const { inside } = measured;
  const area = t('measure.area', { n: areaText(measured) });
  if (!inside) return [area];
  if (inside.pixels === 0) return [area, t('measure.no_pixels')];
  const number = (value: number) => formatNumber(value, 1);
  return [
    t('measure.mean', { mean: number(inside.mean), sd: number(inside.sd), unit }),
    t('measure.range', { min: number(inside.min), max: number(inside.max), unit }),
    area,
  ];
}
