// Windows that readers know by name, by modality.
import type { SeriesDetail } from '../api/types';
import type { MessageKey } from '../messages';
import type { Window } from './pixels';

export interface Preset {
  name: MessageKey;
  /** `auto`, `full` and `low_half` are computed from the frame. */
  window: Window | 'auto' | 'full' | 'low_half';
}

const CT: Preset[] = [
  { name: 'viewer.soft_tissue', window: { center: 40, width: 400 } },
  { name: 'viewer.lung', window: { center: -600, width: 1500 } },
  { name: 'viewer.bone', window: { center: 400, width: 1800 } },
  { name: 'viewer.mediastinum', window: { center: 50, width: 350 } },
  { name: 'viewer.liver', window: { center: 70, width: 160 } },
  { name: 'viewer.brain', window: { center: 40, width: 80 } },
];
const AUTO: Preset = { name: 'viewer.auto', window: 'auto' };
const FULL: Preset = { name: 'viewer.full', window: 'full' };

/** The lower half of positron emission is where most uptake lies that is looked for. */
const BY_MODALITY: Record<string, Preset[]> = {
  CT: [...CT, AUTO],
  PT: [FULL, { name: 'viewer.low_half', window: 'low_half' }, AUTO],
};

export function presetsOf({ instances, row }: SeriesDetail): Preset[] {
  const [center, width] = [instances[0]?.window_center ?? null, instances[0]?.window_width ?? null];
  const header: Preset[] = center !== null && width !== null ? [{ name: 'viewer.header', window: { center, width } }] : [];
  return [...header, ...(BY_MODALITY[row.modality] ?? [AUTO, FULL])];
}
