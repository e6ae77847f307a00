import type { AuditReport, Finding } from './audit-findings.js';

/** An audit as a Markdown document, to be kept. The same report always gives the same text. */
export function auditMarkdown(report: AuditReport, options: { at: string; program: string }): string {
  const faults = report.findings.filter(({ gravity }) => gravity === 'fault');
  const notes = report.findings.filter(({ gravity }) => gravity === 'note');
  return [
    '# Audit of the model registry',
    '',
    ...table(['', ''], summary(report, { faults: faults.length, ...options })),
    '',
    '## Faults',
    '',
    ...findings(faults),
    '',
    '## Worth knowing',
    '',
    ...findings(notes),
    '',
    '## What stands where',
    '',
    ...standing(report),
    '',
    '## The policy over time',
    '',
    ...policies(report),
    '',
  ].join('\n');
}

function summary(report: AuditReport, given: { faults: number; at: string; program: string }): string[][] {
  const { tip, root, commits, signed, events, versions, from, to } = report;
  return [
    ['Verdict', given.faults === 0 ? 'passed' : `FAILED: ${given.faults} fault(s)`],
    ['Looked at', `${given.at}, by ${given.program}`],
    ['Registry at', tip ?? 'no registry'],
    ['First commit', root ?? ''],
    ['Time', from === undefined ? '' : `${from} to ${to}`],
    ['Commits', `${commits}, ${signed} of them signed by a key in force`],
    ['Events', String(events)],
    ['Versions', String(versions)],
  ];
}

function findings(all: readonly Finding[]): string[] {
  if (all.length === 0) return ['None.'];
  const rows = all.map(({ code, commit, file, sentence }) => [code, commit?.slice(0, 12) ?? '', file ?? '', sentence]);
  return table(['code', 'commit', 'file', 'what'], rows);
}

function standing(report: AuditReport): string[] {
  if (report.standing.length === 0) return ['Nothing.'];
  const rows = report.standing.map(({ model, version, stage, traffic, since, by, approvedBy, manifest, data }) => [
    ...[`${model}@${version}`, stage, stage === 'archived' ? '' : `${traffic} %`, since, by],
    ...[approvedBy.join(', '), manifest, data.join(', ')],
  ]);
  return table(['version', 'stage', 'traffic', 'since', 'by', 'approved by', 'manifest', 'data'], rows);
}

function policies(report: AuditReport): string[] {
  if (report.policies.length === 0) return ['There never was one: no gates.'];
  const rows = report.policies.map(({ commit, by, at, signed }) => [
    commit.slice(0, 12),
    at,
    by,
    signed ? 'yes' : 'no',
  ]);
  return table(['commit', 'time', 'by', 'signed'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))].map((row) => `| ${row.join(' | ')} |`);
}

/** Text that somebody else wrote cannot end its cell or begin a link or a tag. */
function cell(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\|`*_[\]<>&]/g, (sign) => (sign === '&' ? '&amp;' : sign === '<' ? '&lt;' : `\\${sign}`));
}
