// Values of the API as people read them.
import type { AnalysisStatus, ProtectedCount, RequestState, Severity } from '../api/types';
import type { Tone } from '../components/Badge.svelte';
import { t, tWord } from '../messages';
import { formatCount } from './format';

export function countWords(count: ProtectedCount): string {
  if ('about' in count) return t('count.about', { n: formatCount(count.about) });
  return t('count.fewer_than', { n: count.fewer_than });
}

/** The tag of an externally tagged enum. */
export const tagOf = (value: string | object): string => (typeof value === 'string' ? value : (Object.keys(value)[0] ?? ''));

export interface Words {
  text: string;
  tone: Tone;
}

/** A reason of the API as a sentence. */
export const sentence = (text: string) => (text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);

const SEVERITY_TONES: Record<Severity, Tone> = { error: 'bad', warning: 'warn', note: 'plain' };

export const severityTone = (severity: Severity): Tone => SEVERITY_TONES[severity];

const REQUEST_TONES: Record<string, Tone> = { in_review: 'accent', granted: 'good', refused: 'bad', revoked: 'warn' };

export function requestWords(state: RequestState): Words {
  const tag = tagOf(state);
  return { text: tWord('request_state', tag), tone: REQUEST_TONES[tag] ?? 'plain' };
}

const ANALYSIS_TONES: Record<string, Tone> = { running: 'accent', finished: 'good', refused: 'bad', failed: 'bad' };

export function analysisWords(status: AnalysisStatus): Words {
  const tag = tagOf(status);
  return { text: tWord('analysis_status', tag), tone: ANALYSIS_TONES[tag] ?? 'plain' };
}
