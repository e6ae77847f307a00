/** What one look of `mlv doctor` found. */
export interface Check {
  name: string;
  /** `warning` is worth knowing, `problem` keeps something from working. */
  state: 'ok' | 'warning' | 'problem';
  /** One line. */
  message: string;
  /** What to do about it. */
  hint?: string;
  /** Facts for `--json`. */
  data?: Record<string, unknown>;
}

/** A check that all is well. */
export function ok(name: string, message: string, data?: Record<string, unknown>): Check {
  return { name, state: 'ok', message, ...(data && { data }) };
}
