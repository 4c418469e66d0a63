// What the frame knows of a page: where it is, what it is called in the navigation, and who sees it there.
import type { Component } from 'svelte';
import type { Role } from '../api/types';
import type { MessageKey } from '../messages';

export interface PageEntry {
  pattern: string;
  // Each page names its own parameters; the pattern supplies them.
  component: Component<any>;
  /** Its place in the navigation, when it has one. */
  nav?: { label: MessageKey; roles?: Role[] };
}
