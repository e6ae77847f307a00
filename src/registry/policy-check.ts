import { isMlvError, MlvError } from '../core/errors.js';
import { parseCondition } from './condition.js';
import type { Policy } from './policy.js';
import { parsePolicy } from './policy-format.js';

/**
 * Reads a policy that is to come into force, and every rule in it. Errors: `REGISTRY_INVALID`, `FORMAT_TOO_NEW`,
 * `EXPRESSION_INVALID` with the stage and the rule.
 */
export function checkPolicy(text: string, path: string): Policy {
  const policy = parsePolicy(text, { path });
  for (const [stage, { metrics = [], evaluations = [] }] of Object.entries(policy.stages)) {
    for (const rule of [...metrics, ...evaluations.flatMap((each) => each.metrics ?? [])]) checkRule(rule, stage, path);
  }
  return policy;
}

function checkRule(rule: string, stage: string, path: string): void {
  try {
    parseCondition(rule);
  } catch (error) {
    if (!isMlvError(error)) throw error;
    throw new MlvError(error.code, `'${path}', stage '${stage}', rule '${rule}': ${error.message}`, {
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
      data: { ...error.data, path, stage, rule },
    });
  }
}

/** What a policy says, in lines for people. */
export function describePolicy(policy: Policy): string[] {
  const lines = Object.entries(policy.roles).map(([role, people]) => `role ${role}: ${people.join(', ') || 'nobody'}`);
  for (const { who, key, valid_after, valid_before, revoked } of policy.signers) {
    const kind = key.split(/\s/)[0];
    const until = [valid_after && `from ${valid_after}`, valid_before && `until ${valid_before}`, revoked && 'revoked'];
    lines.push(`signer ${who}: ${[kind, ...until.filter(Boolean)].join(', ')}`);
  }
  for (const [stage, rules] of Object.entries(policy.stages)) lines.push(...describeStage(stage, rules));
  if (policy.register) lines.push(`to register: ${writers(policy.register)}`);
  if (policy.policy) lines.push(`to change the policy: ${writers(policy.policy)}`);
  return lines;
}

function describeStage(stage: string, rules: Policy['stages'][string]): string[] {
  const { from, metrics = [], evaluations = [], approvals, checks = [], signed, freeze = [], roles, override } = rules;
  const lines = [
    ...(from ? [`from ${from.join(', ') || 'nowhere'}`] : []),
    ...(roles ? [`by ${roles.join(', ')}`] : []),
    ...metrics,
    ...evaluations.map(({ on, metrics: figures = [] }) => [`evaluated on ${on}`, ...figures].join(', ')),
    ...(approvals
      ? [`${approvals.count} approval(s)${approvals.role === undefined ? '' : ` by ${approvals.role}`}`]
      : []),
    ...checks.map(({ name, command }) => `check ${name}: ${command}`),
    ...(signed ? ['signed'] : []),
    ...freeze.map(
      ({ from: first, to, reason }) => `frozen ${first} to ${to}${reason === undefined ? '' : `: ${reason}`}`,
    ),
    ...(override ? [`override by ${override.roles.join(', ')}`] : []),
  ];
  return [`stage ${stage}${lines.length === 0 ? ': anything goes' : ''}`, ...lines.map((line) => `  ${line}`)];
}

function writers({ roles, signed }: { roles?: string[]; signed?: boolean }): string {
  return [roles ? roles.join(', ') : 'anyone', ...(signed ? ['signed'] : [])].join(', ');
}
