// Texts by key. `{name}` in a text is replaced by the value of that name; other languages add a catalogue like en.ts.
import { en } from './en';

export type MessageKey = keyof typeof en;

/** The text of a key with its values filled in. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));
}

/** The text of a key that is put together at run time, or the word itself where the catalogue has none. */
export function tWord(prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return key in en ? en[key as MessageKey] : word.replaceAll('_', ' ');
}
