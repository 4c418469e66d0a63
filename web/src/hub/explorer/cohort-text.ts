// The builder's view of a cohort text. The text is what counts: the hub parses it; here it is only taken apart at its
// top-level `and`s into criteria that have a row in the builder and groups (`or`, `not`, brackets) that stay text.

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'between' | 'one_of' | 'under' | 'recorded';

export interface Criterion {
  field: string;
  operator: Operator;
  /** One value, two for `between`, any number for `one_of` and `under`, none for `recorded`. */
  values: string[];
}

export type Part = { criterion: Criterion } | { group: string };

export const WORD_OPERATORS: Operator[] = ['=', '!=', 'one_of', 'recorded'];
/** Of fields whose codes have others under them. */
export const CODE_OPERATORS: Operator[] = ['under', '=', '!=', 'one_of', 'recorded'];
export const NUMBER_OPERATORS: Operator[] = ['>=', '<=', '>', '<', '=', 'between', 'recorded'];

const TOKEN = /"(?:\\.|[^"\\])*"?|[(){}]|[\p{L}\p{N}_]+|\s+|./gsu;
const UNIT = String.raw`(?:\s*(?!(?:and|or|before|after|of)\b)([a-z%][\w/%]*|\[\w+\]))?`;
const QUOTED = String.raw`"(?:\\.|[^"\\])*"`;
const RECORDED = /^(\w+)\s+recorded$/i;
const BETWEEN = new RegExp(String.raw`^(\w+)\s+in\s+(-?[\d.]*?\d|)${UNIT}\s*\.\.\s*(-?[\d.]+|)${UNIT}$`, 'i');
const UNDER = new RegExp(String.raw`^(\w+)\s+under\s*(?:\{(.*)\}|(${QUOTED}|[^\s{}()"]+))$`, 'is');
const ONE_OF = /^(\w+)\s+in\s*\{(.*)\}$/is;
const COMPARED = new RegExp(String.raw`^(\w+)\s*(<=|>=|!=|=|<|>)\s*(${QUOTED}|[\p{L}\p{N}_+./^-]*)${UNIT}$`, 'iu');
const PLAIN = /^[\p{L}\p{N}_+./^-]+$/u;

/** The unit of a field, empty for none. */
type UnitOf = (field: string) => string;

/** Everyday words for years. */
const YEARS = ['a', 'y', 'year', 'years'];

/** A row shows a number in its field's own unit; one in another unit stays text, or it would become another number. */
const isOwn = (unit: string | undefined, own: string) => unit === undefined || unit === own || (own === 'a' && YEARS.includes(unit));

/** The parts of a text between its top-level `and`s; a top-level `or` makes the whole one group. */
export function partsOf(text: string, unitOf: UnitOf = () => ''): Part[] {
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
  return pieces.map((piece) => piece.trim()).filter(Boolean).map((piece) => partOf(piece, unitOf));
}

function partOf(piece: string, unitOf: UnitOf): Part {
  const recorded = RECORDED.exec(piece);
  if (recorded) return criterion(recorded[1], 'recorded', []);
  const between = BETWEEN.exec(piece);
  if (between) {
    const [, field = '', low = '', lowUnit, high = '', highUnit] = between;
    const own = unitOf(field.toLowerCase());
    return isOwn(lowUnit, own) && isOwn(highUnit, own) ? criterion(field, 'between', [low, high]) : { group: piece };
  }
  const under = UNDER.exec(piece);
  if (under) return criterion(under[1], 'under', wordsOf(under[2] ?? under[3] ?? ''));
  const oneOf = ONE_OF.exec(piece);
  if (oneOf) return criterion(oneOf[1], 'one_of', wordsOf(oneOf[2] ?? ''));
  const compared = COMPARED.exec(piece);
  if (compared && compared[1]?.toLowerCase() !== 'not' && isOwn(compared[4], unitOf((compared[1] ?? '').toLowerCase())))
    return criterion(compared[1], compared[2] as Operator, [unquoted(compared[3] ?? '')]);
  return { group: piece };
}

const criterion = (field: string | undefined, operator: Operator, values: string[]): Part => ({
  criterion: { field: (field ?? '').toLowerCase(), operator, values },
});

/** `CT, "GE MEDICAL SYSTEMS"` as its words. */
export function wordsOf(list: string): string[] {
  return [...list.matchAll(/"((?:\\.|[^"\\])*)"|[^,"]+/gs)]
    .map(([whole, quoted]) => (quoted === undefined ? whole.trim() : unescaped(quoted)))
    .filter(Boolean);
}

const unescaped = (value: string) => value.replace(/\\(.)/gs, '$1');
const unquoted = (value: string) => (/^".*"$/s.test(value) ? unescaped(value.slice(1, -1)) : value);
/** A value as it is written: in quotes where it has blanks or signs. */
export const quoted = (value: string) =>
  value === '' || (PLAIN.test(value) && !value.includes('..')) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** The text of the parts. */
export const textOf = (parts: Part[]) =>
  parts.map((part) => ('group' in part ? part.group : criterionText(part.criterion))).join(' and ');

function criterionText({ field, operator, values }: Criterion): string {
  switch (operator) {
    case 'recorded':
      return `${field} recorded`;
    case 'between':
      return `${field} in ${values[0] ?? ''}..${values[1] ?? ''}`;
    case 'under':
      return values.length === 1 ? `${field} under ${quoted(values[0] ?? '')}` : `${field} under {${values.map(quoted).join(', ')}}`;
    case 'one_of':
      return `${field} in {${values.map(quoted).join(', ')}}`;
    default:
      return `${field} ${operator} ${quoted(values[0] ?? '')}`.trimEnd();
  }
}

/** The command that asks the same, quoted for a POSIX shell. */
export function shellCommand(text: string, facets: string[] = [], permit = ''): string {
  const argument = /["$`\\!]/.test(text) ? `'${text.replaceAll("'", String.raw`'\''`)}'` : `"${text}"`;
  const under = permit === '' ? [] : [`--permit ${permit}`];
  return ['arno search', ...under, argument, ...facets.map((facet) => `--facet ${facet}`)].join(' ');
}

/** A program that asks the same, with nothing but Python's own library. The texts are JSON strings, which Python reads as its own. */
export function pythonProgram(text: string, origin: string, facets: string[] = [], permit = ''): string {
  return PYTHON.replace('__HUB__', JSON.stringify(origin))
    .replace('__COHORT__', () => JSON.stringify(text))
    .replace('__FACETS__', JSON.stringify(facets))
    .replace('__PERMIT__', JSON.stringify(permit));
}

const PYTHON = `import getpass, json, time, urllib.request

HUB = __HUB__
COHORT = __COHORT__
# What to count by besides, such as ["sex", "age", "overall_survival"]; each costs a share of your budget at each site.
FACETS = __FACETS__
# A permit to count exactly, within its datasets; then nothing costs anything of your budget.
PERMIT = __PERMIT__

def call(method, path, body=None, token=None):
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token:
        headers["authorization"] = "Bearer " + token
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(HUB + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)

token = call("POST", "/v1/session", {"account": input("Account: "), "password": getpass.getpass()})["token"]
asked = {"panel": {"text": COHORT, "facets": FACETS}} if FACETS else {"text": COHORT}
if PERMIT:
    asked = {"exact": {"text": COHORT, "permit": PERMIT, "facets": FACETS}}
search = call("POST", "/v1/searches", asked, token)
while not search["complete"]:
    time.sleep(0.3)
    search = call("GET", "/v1/searches/" + search["id"], token=token)
for site in search["sites"]:
    answer = site["answer"] if isinstance(site["answer"], dict) else {}
    counted = answer.get("counted") or answer.get("exact")
    print(site["name"], counted["counts"] if counted else site["answer"])
    for facet in (counted or {}).get("facets", []):
        print(" ", facet["field"], "each within", facet.get("margin", 0), {cell["value"]: cell["patients"] for cell in facet["cells"]})
print(search.get("totals") or search["total"])
for survival in search.get("survival", []):
    for point in (survival.get("curve") or {}).get("points", []):
        share, years = "{share:.0%} ({low:.0%} to {high:.0%})".format(**point), point["years"]
        print(survival["of"], f"{years:g} years: {share}, about {point['at_risk']} still followed")
`;
