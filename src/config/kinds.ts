import { isAbsolute, join } from 'node:path';

/** How the text of a setting becomes its value. */
export interface Kind<T> {
  /** What a value looks like, completing the sentence "it must be ...". */
  readonly describe: string;
  /** True when the value is a list, which YAML writes as a sequence. */
  readonly list: boolean;
  /** The value, or undefined for text that is none. `home` is the user's home directory, for `~/`. */
  parse(text: string, home: string): T | undefined;
}

const TRUE = ['true', 'yes', 'on', '1'];
const FALSE = ['false', 'no', 'off', '0'];

/** `true` or `false`, and the usual other words for them. */
export const boolean: Kind<boolean> = {
  describe: 'true or false',
  list: false,
  parse(text) {
    const word = text.toLowerCase();
    if (TRUE.includes(word)) return true;
    return FALSE.includes(word) ? false : undefined;
  },
};

/** A whole number between two bounds, both included. */
export function integer(least: number, most: number): Kind<number> {
  return {
    describe: `a whole number from ${least} to ${most}`,
    list: false,
    parse(text) {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
  };
}

/** One of some words. */
export function choice<const T extends string>(...words: readonly T[]): Kind<T> {
  return {
    describe: `one of ${words.join(', ')}`,
    list: false,
    parse: (text) => words.find((word) => word === text),
  };
}

/** Some of some words, in the order of preference, separated by commas; at least one, none twice. */
export function choices<const T extends string>(...words: readonly T[]): Kind<readonly T[]> {
  return {
    describe: `a list of ${words.join(', ')}, separated by commas, none twice`,
    list: true,
    parse(text) {
      const asked = text.split(',').map((word) => word.trim());
      const known = asked.map((word) => words.find((candidate) => candidate === word));
      const valid = known.filter((word) => word !== undefined);
      return valid.length === asked.length && new Set(valid).size === valid.length ? valid : undefined;
    },
  };
}

const CONTROL = /[\u0000-\u001f\u007f]/;

/** One line of text. */
export const text: Kind<string> = {
  describe: 'one line of text, not empty',
  list: false,
  parse: (value) => (value === '' || value !== value.trim() || CONTROL.test(value) ? undefined : value),
};

/** A directory by a path that means the same wherever the command is run. */
export const directory: Kind<string> = {
  describe: "an absolute path, or one that begins with '~/'",
  list: false,
  parse(value, home) {
    if (CONTROL.test(value)) return undefined;
    const path = value === '~' || value.startsWith('~/') ? join(home, value.slice(1)) : value;
    return isAbsolute(path) ? join(path) : undefined;
  },
};

/** A file by a path that means the same wherever the command is run. */
export const file = directory;

/** The address of an HTTP service. */
export const httpUrl: Kind<string> = {
  describe: 'a URL that begins with https:// or http://',
  list: false,
  parse: (value) => (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) ? value : undefined),
};

const REMOTE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The name of a remote: ASCII letters, digits, `-` and `_`, beginning with a letter or digit, 64 at most. */
export const remoteName: Kind<string> = {
  describe: "up to 64 letters, digits, '-' and '_', beginning with a letter or digit",
  list: false,
  parse: (value) => (REMOTE_NAME.test(value) ? value : undefined),
};

/** The name of a Git remote, as Git allows it and no command can take it for an option. */
export const gitRemote: Kind<string> = {
  describe: "the name of a Git remote: letters, digits, '.', '_', '-' and '/', beginning with a letter or digit",
  list: false,
  parse: (value) => (/^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$/.test(value) && !value.includes('..') ? value : undefined),
};
