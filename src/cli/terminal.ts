import { readFileSync } from 'node:fs';

/**
 * True where this process belongs to the foreground of a terminal, which then gives an interrupt from the keyboard to
 * every program that it has started, too.
 */
export function isInForeground(): boolean {
  try {
    // proc(5): behind the name in brackets come state, parent, group, session, terminal, and the terminal's foreground.
    const text = readFileSync('/proc/self/stat', 'latin1');
    const [, , group, , terminal, foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return terminal !== '0' && group === foreground;
  } catch {
    return process.stdin.isTTY === true;
  }
}
