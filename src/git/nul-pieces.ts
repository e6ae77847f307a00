const NUL = 0;

/**
 * Cuts what comes in parts of any size at its NULs: give every part to the function that it returns. A piece is a view
 * that is valid during the call only; what follows the last NUL is none.
 */
export function nulPieces(take: (piece: Buffer) => void): (part: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (part) => {
    const data = rest.length === 0 ? part : Buffer.concat([rest, part]);
    let start = 0;
    for (let end = data.indexOf(NUL); end !== -1; end = data.indexOf(NUL, start)) {
      take(data.subarray(start, end));
      start = end + 1;
    }
    rest = Buffer.from(data.subarray(start));
  };
}
