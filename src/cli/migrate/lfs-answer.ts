/** The text of an answer; undefined for one that is longer than `limit` bytes, or breaks off. */
export async function boundedText(response: Response, limit: number): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response.body ?? []) {
      size += part.byteLength;
      if (size > limit) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What an answer says for people; empty where it says nothing. */
export function saidBy(text: string | undefined): string {
  try {
    const { message } = JSON.parse(text ?? '') as { message?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    return '';
  }
}
