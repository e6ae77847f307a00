import type { HistoryEntry } from '../../registry/history.js';
import { minuteOf, personName, plain } from './registry.js';
import type { Style } from './style.js';
import { alignColumns } from './table.js';

/** Events for people: a line each, with reason, ticket and gates that were not passed below it. Overrides stand out. */
export function historyLines(entries: readonly HistoryEntry[], style: Style): string[] {
  const heads = alignColumns(
    entries.map(({ event, what, override }) => [
      style.dim(minuteOf(event.at)),
      style.bold(plain(event.version)),
      plain(what) + (override ? ` ${style.red('OVERRIDE')}` : ''),
      style.dim(`by ${personName(event.by)}`),
    ]),
  );
  return entries.flatMap((entry, index) => [heads[index] as string, ...details(entry, style)]);
}

function details({ event, failed, override }: HistoryEntry, style: Style): string[] {
  const reason = event.reason === undefined ? [] : [plain(event.reason)];
  const ticket = event.ticket === undefined ? [] : [`ticket ${plain(event.ticket)}`];
  const gates = failed.map(({ rule, found }) => {
    const line = `${override ? 'overridden' : 'failed'}: ${plain(rule)} (${plain(found)})`;
    return override ? style.red(line) : style.yellow(line);
  });
  const signals = event.type === 'guarded' ? event.signals.filter(({ passed }) => !passed) : [];
  const lines = [
    ...reason,
    ...ticket,
    ...gates,
    ...signals.map(({ rule, found }) => `${plain(rule)}: ${plain(found)}`),
  ];
  return lines.map((line) => `    ${line}`);
}
