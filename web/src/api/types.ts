// The wire types of both public APIs, as `crates/protocol` and `crates/domain` define them (serde: enums are
// externally tagged, snake_case). Ids are opaque text; times are RFC 3339 text.
import type { QualitySummary } from './quality';

export type {
  BodySite, DatasetCertificate, QualityCertificate, QualityOverview, QualitySummary, RiskColumn, RiskReport, SeriesQuality, Severity,
} from './quality';
export type {
  MembershipState,
  Holdings,
  IngestProgress,
  ReceivingTrouble,
  Overview,
  IngestRun,
  SeriesRow,
  SeriesPage,
  ViewInstance,
  SeriesDetail,
  OutlineRegion,
  FramePlacement,
  SeriesPlacement,
  SegmentInfo,
  SeriesSegmentation,
  PreviewElement,
  DeidentificationPreview,
  Quarantined,
  NewDataset,
  LocalDataset,
  SeenPermit,
  DisclosureAlarm,
  DisclosureState,
} from './node';

export type Time = string;
// session.rs, problem.rs

export type Role = 'data_user' | 'committee' | 'operator' | 'data_manager';

export interface About {
  program: 'hub' | 'node';
  name: string;
  version: string;
  demo: boolean;
}

export interface SealedKey {
  public_key: string;
  iterations: number;
  salt: string;
  nonce: string;
  ciphertext: string;
}

export interface Session {
  account: string;
  display_name: string;
  role: Role;
  sealed_key?: SealedKey;
}

export interface Problem {
  code: string;
  status: number;
  title: string;
  detail: string;
}

// signed.rs, disclosure.rs, dataset.rs

export interface Signed {
  document: string;
  signer: string;
  signature: string;
}

export type ProtectedCount = { fewer_than: number } | { about: number };

/** The total of a search over sites, added up under masks, with noise once. */
export type SearchTotal = 'waiting' | { counted: SecureTotal } | { exact: ExactTotal } | { missing: { reason: string } };

/** What sites counted exactly under a permit, added up; hidden and other sites are not in it. */
export interface ExactTotal {
  permit: string;
  sites: number;
  hidden: number;
  without: number;
  patients: number;
  studies: number;
  series: number;
}

/** A number of patients under a permit. */
export type PermittedCount = { exactly: number } | { fewer_than: number };

export type PermittedCounts = { exactly: { patients: number; studies: number; series: number } } | { fewer_than: number };

export interface SecureTotal {
  sites: number;
  patients: number;
  studies: number;
  series: number;
  margins: Margins;
}

/** How far counts are from the truth 95 times in a hundred. */
export interface Margins {
  patients: number;
  studies: number;
  series: number;
}

export interface DisclosurePolicy {
  threshold: number;
  round_to: number;
  border_spread: number;
  budget: DisclosureBudget;
  under_permit: { counts: 'allow' | 'forbid'; threshold: number };
}

/** Costs are millionths of ρ of zero-concentrated differential privacy. */
export interface DisclosureBudget {
  data_user_microrho: number;
  site_microrho: number;
  questions: number;
  period_days: number;
  studies_per_patient: number;
  series_per_patient: number;
  values_per_patient: number;
}

export interface DatasetRecord {
  id: string;
  node: string;
  version: number;
  title: string;
  description: string;
  cohort: string;
  licence: string;
  synthetic_images: boolean;
  published_at: Time;
  patients: number;
  studies: number;
  series: number;
  instances: number;
  size_bytes: number;
  readings: number;
  breakdowns: Record<string, Record<string, ProtectedCount>>;
  manifest_sha256: string;
  /** Absent in records from before rules were asked. */
  quality?: QualitySummary;
}

// catalogue.rs

export interface CatalogueTotals {
  datasets: number;
  patients: number;
  studies: number;
  series: number;
  instances: number;
  readings: number;
}

export interface NodeStatus {
  node: string;
  name: string;
  city: string;
  country: string;
  latitude: number;
  longitude: number;
  online: boolean;
  last_seen: Time | null;
  joined_at: Time;
  software: string;
  instances: number;
}

export interface Federation {
  name: string;
  root_key: string;
  committee_key: string;
  nodes: NodeStatus[];
  totals: CatalogueTotals;
}

export interface CatalogueEntry {
  record: DatasetRecord;
  site: string;
  online: boolean;
  signed: Signed;
}

export interface IssuedInvitation {
  invitation: string;
  expires_at: Time;
}

export interface AuditEntry {
  sequence: number;
  at: Time;
  actor: string;
  action: string;
  subject: string;
  outcome: 'done' | 'refused' | 'failed';
  detail: string;
  previous_sha256: string;
  sha256: string;
}

export interface AuditLog {
  entries: AuditEntry[];
  length: number;
  first_break: number | null;
}

// search.rs

export type Coverage = 'few' | 'some' | 'most' | 'nearly_all';

export interface FieldInfo {
  field: string;
  entity: string;
  numeric: boolean;
  unit: string;
  /** Codes lie under its codes. */
  hierarchy: boolean;
  sites: { node: string; coverage: Coverage }[];
  meaning: string;
  examples: string[];
  /** Limits between which patients can be counted by it. */
  steps: number[];
}

export interface Counts {
  patients: ProtectedCount;
  studies: ProtectedCount;
  series: ProtectedCount;
  /** The true count is within this of it 95 times in a hundred; 0 where that is not stated. */
  margins: Margins;
}

export interface CriterionReport {
  criterion: string;
  status: 'applied' | 'unsupported' | { expanded: number };
}

/** What is wrong with a cohort's text, and where; places count from 1, in characters. */
export interface Mistake {
  position: number;
  line: number;
  column: number;
  message: string;
  suggestion?: string;
}

export interface SavedCohort {
  digest: string;
  text: string;
  normal: string;
}

export interface Completion {
  /** Where the unfinished word begins, in characters from 0. */
  from: number;
  suggestions: { text: string; note: string }[];
}

export interface Written {
  reading: { read: SavedCohort } | { mistaken: Mistake };
  completion?: Completion;
}

/** Patients by value at one site; `margin` holds for each. */
export interface ReleasedFacet {
  field: string;
  cells: { value: string; patients: ProtectedCount }[];
  margin: number;
  /** Conditions about this field alone, without which it is counted. */
  lifted?: string[];
}

export interface SiteCounts {
  counts: Counts | null;
  criteria: CriterionReport[];
  /** Left out where none were asked for. */
  facets?: ReleasedFacet[];
  budget?: BudgetState;
}

/** What the data user spent at a site, and what more would cost, in millionths of ρ. */
export interface BudgetState {
  spent_microrho: number;
  budget_microrho: number;
  period_days: number;
  panel_microrho: number;
  survival_microrho: number;
}

export type Endpoint = 'overall_survival' | 'progression_free_survival';

export interface SurvivalPoint {
  years: number;
  share: number;
  low: number;
  high: number;
  at_risk: number;
  at_risk_margin: number;
}

/** One endpoint over the sites that gave cells. */
export interface FederatedSurvival {
  of: Endpoint;
  sites: string[];
  unrecorded: string[];
  curve?: { of: Endpoint; points: SurvivalPoint[]; end: 'whole' | 'too_few_left' };
}

/** Exact counts within the datasets of a permit. */
export interface ExactSite {
  permit: string;
  datasets: string[];
  counts: PermittedCounts | null;
  criteria: CriterionReport[];
  facets?: { field: string; cells: { value: string; patients: PermittedCount }[]; lifted?: string[] }[];
}

export type SiteAnswer =
  | 'waiting'
  | 'late'
  | 'not_asked'
  | { counted: SiteCounts }
  | { exact: ExactSite }
  | { refused: { code: string; reason: string } }
  | { failed: { reason: string } };

export interface SiteSearch {
  node: string;
  name: string;
  answer: SiteAnswer;
}

export interface SearchTotals {
  patients_low: number;
  patients_high: number;
  series_low: number;
  series_high: number;
}

export interface SearchState {
  id: string;
  asked_by: string;
  asked_at: Time;
  text: string;
  digest: string;
  /** The permit that it counts exactly under; absent where sites answer with noise. */
  permit?: string;
  complete: boolean;
  sites: SiteSearch[];
  /** Absent under a permit. */
  totals?: SearchTotals;
  /** Added up under masks, with the noise of one site in it; or from exact counts. */
  total: SearchTotal;
  /** Left out where none was asked for. */
  survival?: FederatedSurvival[];
}

// requests.rs, permit.rs

export type Operation = 'count' | 'statistics' | 'train' | 'evaluate';

export interface NewRequest {
  title: string;
  purpose: string;
  datasets: string[];
  operations: Operation[];
  days: number;
  /** With `count`: fewer patients than this are hidden. */
  least_count?: number;
}

export interface Permit {
  id: string;
  request: string;
  data_user: string;
  purpose: string;
  datasets: { dataset: string; node: string }[];
  operations: Operation[];
  min_sites: number;
  least_count?: number;
  valid_from: Time;
  valid_until: Time;
}

export interface Revocation {
  permit: string;
  reason: string;
  revoked_at: Time;
}

export type RequestState =
  | 'in_review'
  | { granted: { permit: string; signed: Signed; decided_by: string; decided_at: Time } }
  | { refused: { reason: string; decided_by: string; decided_at: Time } }
  | { revoked: { permit: string; reason: string; revoked_at: Time } };

export interface AccessRequest {
  id: string;
  submitted_by: string;
  submitted_at: Time;
  asked: NewRequest;
  proposed_permit: Permit;
  state: RequestState;
}

export type Decision = { grant: { permit: Signed } } | { refuse: { reason: string } };

// analyses.rs

export interface NewAnalysis {
  title: string;
  permit: string | null;
  pace_ms: number;
}

export interface LogisticModel {
  mean: number[];
  sd: number[];
  coefficients: number[];
}

export type AnalysisStatus = 'running' | 'finished' | 'refused' | { failed: { reason: string } };

export type SiteState = 'taking_part' | 'absent' | { refused: { code: string; reason: string } };

export interface AnalysisSite {
  node: string;
  name: string;
  state: SiteState;
}

export interface Round {
  round: number;
  kind: 'moments' | 'newton' | 'evaluate';
  started_at: Time;
  duration_ms: number | null;
  participants: string[];
  contributed: string[];
  nodules: number | null;
  log_likelihood: number | null;
  max_step: number | null;
}

export type Point = [number, number];

export interface EvaluatedModel {
  node: string | null;
  name: string;
  model: LogisticModel;
  auc: number;
  roc: Point[];
  positives: number;
  negatives: number;
}

export interface Yardstick {
  source: string;
  model: LogisticModel;
  auc: number;
  roc: Point[];
  max_coefficient_difference: number;
}

export interface Analysis {
  id: string;
  title: string;
  started_by: string;
  started_at: Time;
  finished_at: Time | null;
  permit: string | null;
  status: AnalysisStatus;
  sites: AnalysisSite[];
  rounds: Round[];
  features: string[];
  models: EvaluatedModel[];
  yardstick: Yardstick | null;
}
