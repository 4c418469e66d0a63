// What the APIs say of quality, certificates and re-identification risk.
import type { ProtectedCount, Signed, Time } from './types';

/** What a site's node certifies, as far as it leaves the site. */
export interface QualitySummary {
  certificate_sha256: string;
  software: string;
  rules: { rule: string; title: string; severity: Severity; checked: ProtectedCount; failed?: ProtectedCount }[];
}

export type Severity = 'note' | 'warning' | 'error';

export interface BodySite {
  source: string;
  code: string | null;
  meaning: string | null;
  laterality: string | null;
}

export interface Finding {
  rule: string;
  title: string;
  severity: Severity;
  remedy: string;
  count: number;
  detail: string;
  examples: string[];
}

export interface SeriesQuality {
  /** Null while the series waits. */
  checked_at: Time | null;
  kind: string;
  kind_details: string[];
  evidence: string[];
  body: BodySite | null;
  passed: string[];
  findings: Finding[];
}

export interface QualityOverview {
  checked: number;
  due: number;
  kinds: { kind: string; series: number }[];
  rules: {
    rule: string;
    title: string;
    severity: Severity;
    remedy: string;
    failed: number;
    examples: { series_uid: string; count: number; detail: string }[];
  }[];
}

export interface QualityCertificate {
  dataset: string;
  node: string;
  manifest_sha256: string;
  software: string;
  issued_at: Time;
  series: number;
  rules: { rule: string; title: string; severity: Severity; checked: number; failed: number; examples: string[] }[];
}

export interface DatasetCertificate {
  certificate: QualityCertificate;
  signed: Signed;
}

export interface RiskFigure {
  share: number;
  k: number;
  unique: number;
  within_limit: boolean;
}

export interface RiskColumn {
  column: string;
  values: number;
  share_without: number;
  unique_without: number;
  advice: { group_width: number | null; share: number; k: number } | null;
}

export interface RiskReport {
  figure: RiskFigure;
  least_k: number;
  patients: number;
  classes: number;
  columns: RiskColumn[];
}
