// A cohort while it is written: what the hub reads in it, a moment after the last key, and what may come at the cursor.
import * as api from '../../api/client';
import type { Completion, Mistake, SavedCohort } from '../../api/types';

/** Long enough that fast typing asks once, short enough that nobody waits. */
const PAUSE_MS = 120;

export class Writing {
  mistake = $state.raw<Mistake>();
  saved = $state.raw<SavedCohort>();
  completion = $state.raw<Completion>();
  /** Which suggestion is chosen; none until an arrow key is pressed. */
  chosen = $state(-1);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #under_way: AbortController | undefined;

  /** Reads the text anew; `cursor` is where to complete, in characters, or nowhere. */
  read(text: string, cursor: number | null) {
    this.stop();
    this.#timer = setTimeout(() => void this.#ask(text, cursor), PAUSE_MS);
  }

  async #ask(text: string, cursor: number | null) {
    const under_way = (this.#under_way = new AbortController());
    try {
      const { reading, completion } = await api.readCohort(text, cursor, under_way.signal);
      if (under_way.signal.aborted) return;
      this.mistake = 'mistaken' in reading ? reading.mistaken : undefined;
      this.saved = 'read' in reading ? reading.read : undefined;
      this.completion = completion?.suggestions.length ? completion : undefined;
      this.chosen = -1;
    } catch {
      // Help while writing; the search itself says what is wrong.
      if (!under_way.signal.aborted) this.completion = undefined;
    }
  }

  /** Moves the choice, round and round. */
  choose(by: 1 | -1) {
    const count = this.completion?.suggestions.length ?? 0;
    if (count > 0) this.chosen = (Math.max(this.chosen, by === 1 ? -1 : 0) + by + count) % count;
  }

  /** The text with a suggestion put in at the cursor, and where the cursor is then; in characters. */
  taken(text: string, cursor: number, index: number): { text: string; cursor: number } | undefined {
    const suggestion = this.completion?.suggestions[index];
    if (!this.completion || !suggestion) return undefined;
    const characters = [...text];
    const word = suggestion.text.endsWith('(') ? suggestion.text : `${suggestion.text} `;
    const before = characters.slice(0, this.completion.from).join('') + word;
    const after = characters.slice(cursor).join('').replace(/^ /, '');
    return { text: before + after, cursor: before.length };
  }

  close() {
    this.stop();
    this.completion = undefined;
    this.chosen = -1;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#under_way?.abort();
  }
}
