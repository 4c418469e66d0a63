// What of a text is gone, word by word, so that a reader sees at once what cleaning took away. Pure.

export interface Piece {
  text: string;
  isGone: boolean;
}

/** Beyond this a comparison word by word takes too long, and nobody reads it. */
const MAX_WORDS = 400;

const wordsOf = (text: string) => text.match(/\s*\S+\s*/g) ?? (text === '' ? [] : [text]);

/** The words of `before` in order, and which of them `after` has not; all of them where too many are to be compared. */
export function pieces(before: string, after: string | null): Piece[] {
  const [from, to] = [wordsOf(before), wordsOf(after ?? '')];
  if (from.length > MAX_WORDS || to.length > MAX_WORDS) return [{ text: before, isGone: before !== after }];
  const kept = common(from.map((word) => word.trim()), to.map((word) => word.trim()));
  return joined(from.map((text, at) => ({ text, isGone: !kept.has(at) })));
}

/** Places in `from` of a longest common subsequence with `to`. */
function common(from: string[], to: string[]): Set<number> {
  const lengths = Array.from({ length: from.length + 1 }, () => new Uint16Array(to.length + 1));
  const at = (left: number, right: number) => lengths[left]?.[right] ?? 0;
  for (let left = from.length - 1; left >= 0; left -= 1)
    for (let right = to.length - 1; right >= 0; right -= 1)
      (lengths[left] as Uint16Array)[right] = from[left] === to[right] ? at(left + 1, right + 1) + 1 : Math.max(at(left + 1, right), at(left, right + 1));
  const kept = new Set<number>();
  for (let left = 0, right = 0; left < from.length && right < to.length; ) {
    if (from[left] === to[right]) {
      kept.add(left);
      [left, right] = [left + 1, right + 1];
    } else if (at(left + 1, right) >= at(left, right + 1)) left += 1;
    else right += 1;
  }
  return kept;
}

function joined(all: Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of all) {
    const last = out.at(-1);
    if (last?.isGone === piece.isGone) last.text += piece.text;
    else out.push({ ...piece });
  }
  return out;
}
