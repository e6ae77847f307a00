import { redactUrl } from '../core/redact.js';

/** Places that are the same on every machine, or say nothing of one. */
const COMMON = /^\/(?:bin|dev|etc|lib|opt|proc|sbin|sys|usr)\//;
const ABSOLUTE = /(^|[\s=,"'])((?:\/|[A-Za-z]:[\\/])[^\s=,"']+)/g;

/**
 * The words of a command as a document that travels may say them: paths of one machine (`/home/ada/venv/bin/python`) are
 * cut to their last name, and credentials in URLs are hidden. A text that a shell ran becomes `sh -c <text>`.
 */
export function portableCommand(command: string | readonly string[]): string[] {
  const words = typeof command === 'string' ? ['sh', '-c', command] : command;
  return words.map((word) =>
    redactUrl(word).replace(ABSOLUTE, (_, before: string, path: string) => before + shortened(path)),
  );
}

function shortened(path: string): string {
  if (COMMON.test(path)) return path;
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}
