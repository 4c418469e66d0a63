// A history router: the current address as reactive state, links without page loads, and patterns like
// `/datasets/:id`. It deliberately knows no nesting, guards or lazy loading.

class Location {
  path = $state(window.location.pathname);
  query = $state.raw(new URLSearchParams(window.location.search));

  read() {
    this.path = window.location.pathname;
    this.query = new URLSearchParams(window.location.search);
  }
}

/** The current address. */
export const location = new Location();

/** Goes to an address of this app; `replace` leaves no step behind for the back button. */
export function navigate(to: string, how: 'push' | 'replace' = 'push') {
  if (how === 'push') window.history.pushState(null, '', to);
  else window.history.replaceState(null, '', to);
  const moved = location.path !== window.location.pathname;
  location.read();
  if (moved) window.scrollTo(0, 0);
}

/** The values of a pattern's `:names` where the path fits it. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const [wanted, found] = [pattern.split('/'), path.replace(/(.)\/$/, '$1').split('/')];
  if (wanted.length !== found.length) return null;
  const values: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = found[index] ?? '';
    if (segment.startsWith(':') && value !== '') values[segment.slice(1)] = decode(value);
    else if (segment !== value) return null;
  }
  return values;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function followLink(event: MouseEvent) {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!plain || event.defaultPrevented || !link || link.target || link.origin !== window.location.origin) return;
  if (link.hash && link.pathname === window.location.pathname) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}

/** Starts to follow links and the back button. */
export function startRouter() {
  document.addEventListener('click', followLink);
  window.addEventListener('popstate', () => location.read());
}
