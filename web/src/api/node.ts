// The wire types of a node's own pages, as `crates/protocol/src/node.rs` defines them.
import type { RiskFigure } from './quality';
import type { DatasetRecord, DisclosurePolicy, Point, Time } from './types';

export interface MembershipState {
  federation: string;
  hub_url: string;
  connected: boolean;
  last_contact: Time | null;
  last_error: string | null;
}

export interface Holdings {
  received: number;
  instances: number;
  quarantined: number;
  to_review: number;
  text_due: number;
  patients: number;
  studies: number;
  series: number;
  readings: number;
  size_bytes: number;
}

export interface IngestProgress {
  files: number;
  done: number;
}

export interface ReceivingTrouble {
  since: Time;
  reason: string;
  instances: number;
}

export interface Overview {
  node: string;
  name: string;
  signing_key: string;
  membership: MembershipState | null;
  holdings: Holdings;
  ingesting: IngestProgress | null;
  receiving_trouble: ReceivingTrouble | null;
  disclosure: DisclosurePolicy;
  /** A count of patients is within this of the truth 95 times in a hundred. */
  patients_margin: number;
  disclosure_alarms: DisclosureAlarm[];
}

/** Somebody's questions single out few patients; without a name: all data users' together. */
export interface DisclosureAlarm {
  data_user: string | null;
  suspicious: number;
  at: Time;
}

export interface DisclosureState {
  policy: DisclosurePolicy;
  site_spent_microrho: number;
  epsilon_of_data_user: number;
  data_users: SpentByUser[];
  questions: PaidQuestion[];
  exact: ExactQuestion[];
  alarms: DisclosureAlarm[];
}

export interface SpentByUser {
  data_user: string;
  spent_microrho: number;
  questions: number;
  suspicious: number;
  last_at: Time;
}

/** What was counted exactly under a permit. */
export interface ExactQuestion {
  permit: string;
  data_user: string;
  cohort: string;
  /** Fields of its facets, with commas between; empty for none. */
  facets: string;
  at: Time;
}

export interface PaidQuestion {
  data_user: string;
  cohort: string;
  kind: 'site' | 'facets' | 'total';
  price_microrho: number;
  suspicion: 'isolates' | 'differs_by_few' | null;
  at: Time;
}

export interface IngestRun {
  id: number;
  source: string;
  started_at: Time;
  finished_at: Time | null;
  files: number;
  stored: number;
  unchanged: number;
  quarantined: number;
  readings: number;
}

export interface SeriesRow {
  series_uid: string;
  study_uid: string;
  patient: string;
  modality: string;
  description: string;
  manufacturer: string;
  body_part: string;
  sex: string;
  age_years: number | null;
  slice_thickness_mm: number | null;
  instances: number;
  size_bytes: number;
  outlined: boolean;
  received_at: Time;
}

export interface SeriesPage {
  rows: SeriesRow[];
  total: number;
}

export interface ViewInstance {
  instance_uid: string;
  number: number | null;
  position_mm: number | null;
  rows: number;
  columns: number;
  frames: number;
  bits_allocated: number;
  pixel_signed: boolean;
  samples_per_pixel: number;
  photometric: string;
  rescale_slope: number;
  rescale_intercept: number;
  window_center: number | null;
  window_width: number | null;
  pixel_spacing_mm: [number, number] | null;
}

export interface SeriesDetail {
  row: SeriesRow;
  instances: ViewInstance[];
}

export interface OutlineRegion {
  name: string;
  color: [number, number, number];
  polygons: { instance_uid: string; points: Point[] }[];
}

export interface FramePlacement {
  instance_uid: string;
  frame: number;
  position_mm: [number, number, number];
  orientation: [number, number, number, number, number, number];
  spacing_mm: [number, number];
}

export interface SeriesPlacement {
  frame_of_reference: string | null;
  frames: FramePlacement[];
}

export interface SegmentInfo {
  number: number;
  label: string;
  color: [number, number, number] | null;
}

export interface SeriesSegmentation {
  series_uid: string;
  instance_uid: string;
  description: string;
  problem: string | null;
  kind: 'binary' | 'fractional' | 'label_map';
  maximum: number;
  rows: number;
  columns: number;
  segments: SegmentInfo[];
  grids: [number, number, number, number, number, number][];
  slices: { instance_uid: string; frame: number }[];
  frames: { frame: number; segment: number | null; slice: number; grid: number | null }[];
  elsewhere: number;
}

export interface PreviewElement {
  path: string;
  name: string;
  vr: string;
  before: string | null;
  after: string | null;
  action: string;
  rule: string;
  source: string;
  option: string | null;
  reason: string | null;
}

export interface DeidentificationPreview {
  recipe: string;
  edition: string;
  options: string[];
  kept_until: Time;
  elements: PreviewElement[];
}

export interface Quarantined {
  id: number;
  name: string;
  size_bytes: number;
  code: string;
  reason: string;
  at: Time;
  /** It is in the review queue under the same number. */
  waits: boolean;
}

export interface NewDataset {
  title: string;
  description: string;
  cohort: string;
  licence: string;
}

export interface LocalDataset {
  record: DatasetRecord;
  delivered: boolean;
  /** Null for versions from before risks were computed. */
  risk: RiskFigure | null;
}

export interface SeenPermit {
  permit: string;
  data_user: string;
  purpose: string;
  datasets: string[];
  valid_until: Time;
  revoked: boolean;
  answers: number;
}
