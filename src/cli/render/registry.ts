import type { StageShare } from '../../registry/version-list.js';
import { escapeControls } from './quote.js';

/** Names for people: `Ada <ada@example.com>` is Ada. */
export function personName(by: string): string {
  return plain(by.replace(/\s*<[^<>]*>\s*$/, '') || by);
}

/** The day of an RFC 3339 time. */
export function dayOf(time: string): string {
  return plain(time.slice(0, 10));
}

/** An RFC 3339 time to the minute, in UTC. */
export function minuteOf(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? plain(time) : `${date.toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

/** A commit or digest, short. */
export function shortHex(hex: string): string {
  return plain(hex.replace(/^([a-z0-9]+:)?([0-9a-f]{12})[0-9a-f]*$/, '$1$2'));
}

/** `production 90 %, staging`: the share is told where it is not all. */
export function stageWords(stages: readonly StageShare[]): string {
  return stages
    .map(({ stage, traffic }) => (traffic > 0 && traffic < 100 ? `${plain(stage)} ${percent(traffic)}` : plain(stage)))
    .join(', ');
}

/** `33.3 %`. */
export function percent(traffic: number): string {
  return `${Math.round(traffic * 10) / 10} %`;
}

/** A figure with as many digits as people compare; `--json` has all. */
export function figure(value: number | undefined): string {
  if (value === undefined) return '';
  const short = Number(value.toPrecision(6));
  return String(Math.abs(short) >= 1e-4 || short === 0 ? short : short.toExponential());
}

/** The value of a parameter on one line, text without quotes, cut where it is long. */
export function paramText(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return plain(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}

/** Text from the registry: nothing in it acts on a terminal. */
export function plain(text: string): string {
  return escapeControls(text);
}
