// One search under way: asks, then polls until every site has answered or is late.
import * as api from '../../api/client';
import { ApiError } from '../../api/client';
import type { SearchState } from '../../api/types';
import { asApiError } from '../../app/resource.svelte';

/** Sites that are online answer within tens of milliseconds, others within seconds: each wait is longer than the one before. */
const FIRST_POLL_MS = 20;
const LONGEST_POLL_MS = 300;

export class SearchRun {
  state = $state.raw<SearchState>();
  error = $state.raw<ApiError>();
  /** The text that was asked last, whether or not it could be read. */
  asked = $state<string>();
  /** Fields by whose values the patients are counted too. */
  facets = $state.raw<string[]>([]);
  /** The permit that it counts exactly under; empty where it is asked with noise. */
  permit = $state('');
  busy = $state(false);
  #generation = 0;

  /** Asks anew, with noise or exactly under a permit; what an older question still answers is dropped. */
  async start(text: string, facets: string[] = [], permit = '') {
    const generation = (this.#generation += 1);
    const isCurrent = () => generation === this.#generation;
    this.asked = text;
    this.facets = facets;
    this.permit = permit;
    this.error = undefined;
    this.busy = true;
    try {
      let state = await (permit === '' ? api.startSearch(text, facets) : api.startExactSearch(text, permit, facets));
      let wait = FIRST_POLL_MS;
      while (isCurrent()) {
        this.state = state;
        if (state.complete) break;
        await new Promise((wake) => setTimeout(wake, wait));
        wait = Math.min(1.5 * wait, LONGEST_POLL_MS);
        if (isCurrent()) state = await api.search(state.id);
      }
    } catch (error) {
      if (isCurrent()) [this.error, this.state] = [asApiError(error), undefined];
    }
    if (isCurrent()) this.busy = false;
  }

  /** Stops to listen. */
  stop() {
    this.#generation += 1;
  }
}
