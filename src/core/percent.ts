/** Text with its percent escapes read; as it is where a `%` in it encodes nothing, as in passwords that nobody escaped. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
