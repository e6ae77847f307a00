import { resolve } from 'node:path';
import { MlvError } from '../../core/errors.js';
import { auditRegistry } from '../../registry/audit.js';
import type { AuditReport, Finding } from '../../registry/audit-findings.js';
import { auditMarkdown } from '../../registry/audit-markdown.js';
import { unknownModel } from '../../registry/reference-errors.js';
import { writeWholeFile } from '../../workspace/write-whole-file.js';
import { openRegistryHere } from '../open-registry.js';
import { programVersion } from '../program-version.js';
import { escapeControls } from '../render/quote.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv audit`: see its declaration. Errors: `AUDIT_FAILED` with --exit-code, `MODEL_UNKNOWN`, those of auditRegistry. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const { git, config, registry } = await openRegistryHere(session);
  const now = new Date();
  const whole = await auditRegistry({
    git,
    remote: config.registry.remote,
    fetch: options.fetch === true,
    interactive: !session.globals.json && process.stdin.isTTY === true,
    now: Math.floor(now.getTime() / 1000),
  });
  const [model] = args;
  if (model !== undefined && whole.tip !== undefined) {
    requireListed(model, await (await registry.viewAt(whole.tip)).models());
  }
  const report = model === undefined ? whole : ofModel(whole, model);
  const file = textOption(options.report);
  if (file !== undefined) writeReport(resolve(session.cwd, file), report, now);
  const faults = report.findings.filter(({ gravity }) => gravity === 'fault');
  return {
    text: [...report.findings.map((finding) => findingLine(session, finding)), summary(report, faults.length)],
    done: file === undefined ? [] : [`report written to ${file}`],
    json: { passed: faults.length === 0, ...report, tip: report.tip ?? null, root: report.root ?? null },
    errors: faults.length > 0 && options.exitCode === true ? [failed(report, faults)] : [],
  };
}

/** "No fault" of a misspelled model would be taken for the truth. Only names are read: what is broken, the audit tells. */
function requireListed(model: string, names: readonly string[]): void {
  if (!names.includes(model)) throw unknownModel(model, names);
}

/** What concerns one model, and what concerns all. */
function ofModel(report: AuditReport, model: string): AuditReport {
  const standing = report.standing.filter((each) => each.model === model);
  return {
    ...report,
    standing,
    findings: report.findings.filter((each) => each.model === undefined || each.model === model),
  };
}

function findingLine({ style }: Session, { gravity, code, commit, file, sentence }: Finding): string {
  const where = [commit?.slice(0, 10), file].filter((part) => part !== undefined).join(' ');
  const mark = gravity === 'fault' ? style.red('FAULT') : style.yellow('note ');
  return `${mark} ${code}${where === '' ? '' : ` (${escapeControls(where)})`}: ${escapeControls(sentence)}`;
}

function summary({ tip, commits, signed, events, versions }: AuditReport, faults: number): string {
  if (tip === undefined) return 'there is no registry here';
  const verdict = faults === 0 ? 'no fault' : formatCount(faults, 'fault');
  const seen = [
    formatCount(commits, 'commit'),
    `${signed} signed`,
    formatCount(events, 'event'),
    formatCount(versions, 'version'),
  ];
  return `${verdict} in ${seen.join(', ')}, up to ${tip.slice(0, 10)}`;
}

function failed(report: AuditReport, faults: readonly Finding[]): MlvError {
  const codes = [...new Set(faults.map(({ code }) => code))].join(', ');
  return new MlvError('AUDIT_FAILED', `the audit found ${formatCount(faults.length, 'fault')}: ${codes}`, {
    hint: 'docs/registry.md says what each means; the commit says who: git show <commit>',
    data: { faults: faults.length, codes: codes.split(', '), tip: report.tip },
  });
}

function writeReport(path: string, report: AuditReport, now: Date): void {
  const at = now.toISOString();
  const program = `mlv ${programVersion()}`;
  const text = path.endsWith('.json')
    ? `${JSON.stringify({ at, program, ...report }, undefined, 2)}\n`
    : auditMarkdown(report, { at, program });
  writeWholeFile(path, text);
}
