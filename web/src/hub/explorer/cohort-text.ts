// The builder's view of a cohort text. The text is what counts: the hub parses it; here it is only taken apart at its
// top-level `and`s into criteria that have a row in the builder and groups (`or`, `not`, brackets) that stay text.

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'between' | 'one_of' | 'recorded';

export interface Criterion {
  field: string;
  operator: Operator;
  /** One value, two for `between`, any number for `one_of`, none for `recorded`. */
  values: string[];
}

export type Part = { criterion: Criterion } | { group: string };

export const WORD_OPERATORS: Operator[] = ['=', '!=', 'one_of', 'recorded'];
export const NUMBER_OPERATORS: Operator[] = ['>=', '<=', '>', '<', '=', 'between', 'recorded'];

const TOKEN = /"[^"]*"?|[(){}]|[\p{L}\p{N}_]+|\s+|./gsu;
const UNIT = String.raw`(?:\s+(?:mm|a|y|years?))?`;
const RECORDED = /^(\w+)\s+recorded$/i;
const BETWEEN = new RegExp(String.raw`^(\w+)\s+in\s+(-?[\d.]*?\d|)${UNIT}\s*\.\.\s*(-?[\d.]+|)${UNIT}$`, 'i');
const ONE_OF = /^(\w+)\s+in\s*\{(.*)\}$/is;
const COMPARED = new RegExp(String.raw`^(\w+)\s*(<=|>=|!=|=|<|>)\s*("[^"]*"|[\p{L}\p{N}_+./^-]*)${UNIT}$`, 'iu');
const PLAIN = /^[\p{L}\p{N}_+./^-]+$/u;

/** The parts of a text between its top-level `and`s; a top-level `or` makes the whole one group. */
export function partsOf(text: string): Part[] {
  const pieces = [''];
  let depth = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    const word = token.toLowerCase();
    if (token === '(' || token === '{') depth += 1;
    if (token === ')' || token === '}') depth -= 1;
    if (depth === 0 && word === 'or') return [{ group: text.trim() }];
    if (depth === 0 && word === 'and') pieces.push('');
    else pieces[pieces.length - 1] += token;
  }
  return pieces.map((piece) => piece.trim()).filter(Boolean).map(partOf);
}

function partOf(piece: string): Part {
  const recorded = RECORDED.exec(piece);
  if (recorded) return criterion(recorded[1], 'recorded', []);
  const between = BETWEEN.exec(piece);
  if (between) return criterion(between[1], 'between', [between[2] ?? '', between[3] ?? '']);
  const oneOf = ONE_OF.exec(piece);
  if (oneOf) return criterion(oneOf[1], 'one_of', wordsOf(oneOf[2] ?? ''));
  const compared = COMPARED.exec(piece);
  if (compared && compared[1]?.toLowerCase() !== 'not')
    return criterion(compared[1], compared[2] as Operator, [unquoted(compared[3] ?? '')]);
  return { group: piece };
}

const criterion = (field: string | undefined, operator: Operator, values: string[]): Part => ({
  criterion: { field: (field ?? '').toLowerCase(), operator, values },
});

/** `CT, "GE MEDICAL SYSTEMS"` as its words. */
export function wordsOf(list: string): string[] {
  return [...list.matchAll(/"([^"]*)"|[^,"]+/g)].map(([whole, quoted]) => quoted ?? whole.trim()).filter(Boolean);
}

const unquoted = (value: string) => value.replace(/^"(.*)"$/s, '$1');
/** A value as it is written: in quotes where it has blanks or signs. */
export const quoted = (value: string) =>
  value === '' || (PLAIN.test(value) && !value.includes('..')) ? value : `"${value.replaceAll('"', '')}"`;

/** The text of the parts. */
export const textOf = (parts: Part[]) =>
  parts.map((part) => ('group' in part ? part.group : criterionText(part.criterion))).join(' and ');

function criterionText({ field, operator, values }: Criterion): string {
  switch (operator) {
    case 'recorded':
      return `${field} recorded`;
    case 'between':
      return `${field} in ${values[0] ?? ''}..${values[1] ?? ''}`;
    case 'one_of':
      return `${field} in {${values.map(quoted).join(', ')}}`;
    default:
      return `${field} ${operator} ${quoted(values[0] ?? '')}`.trimEnd();
  }
}

/** Where a message of the hub's parser points, counted from 1. */
export function errorPosition(detail: string): number | null {
  const found = /at character (\d+)/.exec(detail);
  return found ? Number(found[1]) : null;
}

/** The command that asks the same, quoted for a POSIX shell. */
export function shellCommand(text: string): string {
  const argument = /["$`\\!]/.test(text) ? `'${text.replaceAll("'", String.raw`'\''`)}'` : `"${text}"`;
  return `arno search ${argument}`;
}
