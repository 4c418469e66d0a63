// One search under way: asks, then polls until every site has answered or is late.
import * as api from '../../api/client';
import { ApiError } from '../../api/client';
import type { SearchState } from '../../api/types';
import { asApiError } from '../../app/resource.svelte';

const POLL_MS = 300;

export class SearchRun {
  state = $state.raw<SearchState>();
  error = $state.raw<ApiError>();
  /** The text that was asked last, whether or not it could be read. */
  asked = $state<string>();
  /** Fields by whose values the patients are counted too. */
  facets = $state.raw<string[]>([]);
  busy = $state(false);
  #generation = 0;

  /** Asks anew; what an older question still answers is dropped. */
  async start(text: string, facets: string[] = []) {
    const generation = (this.#generation += 1);
    const isCurrent = () => generation === this.#generation;
    this.asked = text;
    this.facets = facets;
    this.error = undefined;
    this.busy = true;
    try {
      let state = await api.startSearch(text, facets);
      while (isCurrent()) {
        this.state = state;
        if (state.complete) break;
        await new Promise((wake) => setTimeout(wake, POLL_MS));
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
