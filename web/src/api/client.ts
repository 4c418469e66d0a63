// One typed function per endpoint of the hub and of a node. Every request goes to this page's own origin.
import type {
  About, AccessRequest, Analysis, AuditLog, CatalogueEntry, DatasetCertificate, Decision, DeidentificationPreview, DisclosureState, Federation, FieldInfo,
  IngestRun, IssuedInvitation, LocalDataset, NewAnalysis, NewDataset, NewRequest, OutlineRegion, Overview, Problem,
  QualityOverview, Quarantined, RiskReport, SavedCohort, SearchState, SeenPermit, SeriesDetail, SeriesPage, SeriesPlacement,
  SeriesQuality, SeriesSegmentation, Session, Signed, Written,
} from './types';
import type { NewDecision, ReviewItem, ReviewOutcome, ReviewQueue } from './review';

/** An answer that is not a success; `detail` is the server's own sentence for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title);
  }
}

/** The code of an {@link ApiError} when no answer came at all. */
export const UNREACHABLE = 'unreachable';

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const init: RequestInit = { method, headers: { accept: 'application/json' }, credentials: 'same-origin' };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.headers = { ...init.headers, 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, UNREACHABLE, '', '');
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<ApiError> {
  const problem: Partial<Problem> = await response.json().catch(() => ({}));
  const title = problem.title ?? response.statusText;
  return new ApiError(response.status, problem.code ?? `http_${response.status}`, title, problem.detail ?? '');
}

async function json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, path, body, signal);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

const get = <T>(path: string, signal?: AbortSignal) => json<T>('GET', path, undefined, signal);
const post = <T>(path: string, body: unknown) => json<T>('POST', path, body);
const part = encodeURIComponent;

// Both programs

export const about = () => get<About>('/v1/about');
export const signIn = (account: string, password: string) => post<Session>('/v1/session', { account, password });
export const signOut = () => json<void>('DELETE', '/v1/session');
export const audit = () => get<AuditLog>('/v1/audit');

/** Who is signed in, or nobody. */
export async function session(): Promise<Session | null> {
  try {
    return await get<Session>('/v1/session');
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

// Hub

export const federation = () => get<Federation>('/v1/federation');
export const catalogue = () => get<CatalogueEntry[]>('/v1/datasets');
export const catalogueEntry = (id: string) => get<CatalogueEntry>(`/v1/datasets/${part(id)}`);
/** Reads a cohort that is being written; with a cursor, says what may stand there. */
export const readCohort = (text: string, cursor: number | null, signal?: AbortSignal) =>
  json<Written>('POST', '/v1/cohorts/reading', cursor === null ? { text } : { text, cursor }, signal);
export const cohort = (digest: string) => get<SavedCohort>(`/v1/cohorts/${part(digest)}`);
export const fields = () => get<FieldInfo[]>('/v1/fields');
export const startSearch = (text: string, facets: string[]) =>
  post<SearchState>('/v1/searches', facets.length === 0 ? { text } : { panel: { text, facets } });
/** Counts exactly, within the datasets of a permit. */
export const startExactSearch = (text: string, permit: string, facets: string[]) =>
  post<SearchState>('/v1/searches', { exact: { text, permit, facets } });
export const search = (id: string) => get<SearchState>(`/v1/searches/${part(id)}`);
export const searches = () => get<SearchState[]>('/v1/searches');
export const requests = () => get<AccessRequest[]>('/v1/requests');
export const request = (id: string) => get<AccessRequest>(`/v1/requests/${part(id)}`);
export const submitRequest = (asked: NewRequest) => post<AccessRequest>('/v1/requests', asked);
export const decide = (id: string, decision: Decision) =>
  post<AccessRequest>(`/v1/requests/${part(id)}/decision`, decision);
export const revoke = (permit: string, revocation: Signed) =>
  post<void>(`/v1/permits/${part(permit)}/revocation`, { revocation });
export const analyses = () => get<Analysis[]>('/v1/analyses');
export const analysis = (id: string) => get<Analysis>(`/v1/analyses/${part(id)}`);
export const startAnalysis = (wanted: NewAnalysis) => post<Analysis>('/v1/analyses', wanted);
export const invite = (note: string) => post<IssuedInvitation>('/v1/invitations', { note });

// Node

export const overview = () => get<Overview>('/v1/overview');
export const ingests = () => get<IngestRun[]>('/v1/ingests');
export const startIngest = (folder: string) => post<IngestRun>('/v1/ingests', { folder });
export const seriesPage = (limit: number, offset: number) =>
  get<SeriesPage>(`/v1/series?limit=${limit}&offset=${offset}`);
export const series = (uid: string) => get<SeriesDetail>(`/v1/series/${part(uid)}`);
export const outlines = (uid: string) => get<OutlineRegion[]>(`/v1/series/${part(uid)}/outlines`);
export const placements = (uid: string) => get<SeriesPlacement>(`/v1/series/${part(uid)}/placements`);
export const segmentations = (uid: string) => get<SeriesSegmentation[]>(`/v1/series/${part(uid)}/segmentations`);
export const seriesOfPatient = (patient: string) =>
  get<SeriesPage>(`/v1/series?limit=200&patient=${part(patient)}`);
export const deidentification = (uid: string) =>
  get<DeidentificationPreview>(`/v1/series/${part(uid)}/deidentification`);
export const quarantine = () => get<Quarantined[]>('/v1/quarantine');
/** Nothing when the file was let in, else the entry with its reason now. */
export const retryQuarantined = (id: number) => post<Quarantined | null>(`/v1/quarantine/${id}/retry`, undefined);
export const reviewQueue = () => get<ReviewQueue>('/v1/review');
export const reviewItem = (id: string) => get<ReviewItem>(`/v1/review/${part(id)}`);
export const decideReview = (id: number, decision: NewDecision) =>
  post<ReviewOutcome>(`/v1/review/${id}/decision`, decision);
export const localDatasets = () => get<LocalDataset[]>('/v1/datasets');
export const publishDataset = (dataset: NewDataset) => post<LocalDataset>('/v1/datasets', dataset);
export const quality = () => get<QualityOverview>('/v1/quality');
export const seriesQuality = (uid: string) => get<SeriesQuality>(`/v1/series/${part(uid)}/quality`);
export const datasetCertificate = (id: string) => get<DatasetCertificate>(`/v1/datasets/${part(id)}/certificate`);
export const datasetRisk = (id: string) => get<RiskReport>(`/v1/datasets/${part(id)}/risk`);
export const disclosure = () => get<DisclosureState>('/v1/disclosure');
export const seenPermits = () => get<SeenPermit[]>('/v1/permits');

/** The samples of one frame (from 1), little-endian, as the instance describes them. */
export async function frame(series: string, instance: string, number: number, signal: AbortSignal) {
  const path = `/v1/series/${part(series)}/instances/${part(instance)}/frames/${number}`;
  return (await send('GET', path, undefined, signal)).arrayBuffer();
}

/** A picture of one frame (from 1) of an instance that waits. */
/** The head of a slice that waits, with its face and without, as PNG. */
export async function reviewFace(id: number, signal: AbortSignal) {
  return (await send('GET', `/v1/review/${id}/face`, undefined, signal)).blob();
}

export async function reviewFrame(id: number, number: number, signal: AbortSignal) {
  return (await send('GET', `/v1/review/${id}/frames/${number}`, undefined, signal)).blob();
}
