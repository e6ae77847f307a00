/**
 * The index of the candidate that takes the fewest single-character changes to become `word`, or undefined where none is near: more
 * than a third of the word would have to change.
 */
export function nearest(word: string, candidates: readonly string[]): number | undefined {
  let best: number | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const [index, candidate] of candidates.entries()) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = index;
      least = distance;
    }
  }
  return best;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
