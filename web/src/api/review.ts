// The wire types of the review queue, as `crates/protocol/src/node/review.rs` defines them.
import type { Time } from './types';

/** What a text finder said: it would look, it found something, or it has nothing to say. */
export type TextState = 'due' | 'found' | 'nothing';

/** Whether a text finder looks at what waits, before anybody is asked. */
export type FinderState = { state: 'absent' } | { state: 'working'; due: number } | { state: 'failing'; due: number; reason: string };

export interface ReviewGroup {
  first: number;
  why: string;
  reason: string;
  modality: string | null;
  rows: number;
  columns: number;
  instances: number;
  frames: number;
  since: Time;
  text: TextState;
}

export interface ReviewQueue {
  waiting: number;
  finder: FinderState;
  groups: ReviewGroup[];
}

export interface ReviewItem {
  id: number;
  why: string;
  reason: string;
  choices: 'all' | 'refuse_only';
  modality: string | null;
  sop_class: string;
  rows: number;
  columns: number;
  frames: number;
  size_bytes: number;
  since: Time;
  /** How many of its series, size and reason wait, this one included. */
  alike: number;
  next: number | null;
  /** Where text was found, and where this kind of device writes who the patient is. */
  proposed: ReviewBox[];
  text: TextState;
}

/** A rectangle of pixels; `frame` counts from 1, `null` is all frames. */
export interface ReviewBox {
  x: number;
  y: number;
  width: number;
  height: number;
  frame: number | null;
}

export type Verdict = { kind: 'accept' } | { kind: 'blacken'; boxes: ReviewBox[] } | { kind: 'deface' } | { kind: 'refuse' };

export interface NewDecision {
  scope: 'one' | 'alike';
  verdict: Verdict;
}

export interface ReviewOutcome {
  kept: number;
  refused: number;
  not_kept: { id: number; code: string; reason: string }[];
  left: number;
  next: number | null;
}
