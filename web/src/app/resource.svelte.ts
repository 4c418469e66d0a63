// Something that is loaded from the API, with its loading, error and refresh states. Made while a component is
// set up; polling ends with the component.
import { onDestroy } from 'svelte';
import { ApiError } from '../api/client';

export class Resource<T> {
  value = $state.raw<T>();
  error = $state.raw<ApiError>();
  loading = $state(true);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  /** `again` says after how many milliseconds to ask again, or nothing to stop. */
  constructor(
    readonly load: () => Promise<T>,
    readonly again: (value: T | undefined) => number | undefined = () => undefined,
  ) {
    void this.reload();
    onDestroy(() => {
      this.#ended = true;
      clearTimeout(this.#timer);
    });
  }

  async reload() {
    clearTimeout(this.#timer);
    this.loading = true;
    try {
      this.value = await this.load();
      this.error = undefined;
    } catch (error) {
      this.error = asApiError(error);
    }
    this.loading = false;
    const wait = this.again(this.value);
    if (wait !== undefined && !this.#ended) this.#timer = setTimeout(() => void this.reload(), wait);
  }
}

/** Whatever was thrown, as something that can be shown. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, 'page', 'Error', error instanceof Error ? error.message : String(error));
}
