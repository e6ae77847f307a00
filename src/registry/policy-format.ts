import { isStageName } from './model-name.js';
import type { Policy, Signer, StagePolicy } from './policy.js';
import { type RegistryFile, readShape, type Shape } from './shape.js';

/** Characters of a policy's text. */
const POLICY_LIMIT = 1024 * 1024;

/**
 * Reads a policy's text. A key that this mlv does not know is refused: a rule must never be passed over. `archived` is
 * added to the stages where it is not named. Errors: `REGISTRY_INVALID`, `FORMAT_TOO_NEW`.
 */
export function parsePolicy(text: string, file: Omit<RegistryFile, 'kind'>): Policy {
  const shape = readShape(text, { kind: 'a policy', ...file }, POLICY_LIMIT);
  shape.only(['mlv', 'roles', 'signers', 'stages', 'policy', 'register']);
  const roles = shape.has('roles') ? readRoles(shape.map('roles')) : {};
  const policy: Policy = {
    mlv: 1,
    roles,
    signers: shape.maps('signers').map(readSigner),
    stages: readStages(shape),
    ...shape.optional('policy', (key) => readWriters(shape.map(key), true)),
    ...shape.optional('register', (key) => readWriters(shape.map(key), false)),
  };
  checkReferences(policy, shape);
  return policy;
}

function readRoles(shape: Shape): Record<string, string[]> {
  return Object.fromEntries(shape.keys().map((role) => [role, shape.texts(role)]));
}

function readSigner(shape: Shape): Signer {
  shape.only(['who', 'key', 'valid_after', 'valid_before', 'revoked']);
  return {
    who: shape.text('who'),
    key: shape.prose('key').trim(),
    ...shape.optional('valid_after', (key) => shape.time(key)),
    ...shape.optional('valid_before', (key) => shape.time(key)),
    ...shape.optional('revoked', (key) => shape.flag(key)),
  };
}

function readWriters(shape: Shape, required: true): { roles: string[]; signed?: boolean };
function readWriters(shape: Shape, required: false): { roles?: string[]; signed?: boolean };
function readWriters(shape: Shape, required: boolean): { roles?: string[]; signed?: boolean } {
  shape.only(['roles', 'signed']);
  if (required && !shape.has('roles')) shape.wrong('roles', 'a list of roles');
  return {
    ...shape.optional('roles', (key) => shape.texts(key)),
    ...shape.optional('signed', (key) => shape.flag(key)),
  };
}

function readStages(shape: Shape): Record<string, StagePolicy> {
  const found: [string, StagePolicy][] = [];
  if (shape.has('stages')) {
    const stages = shape.map('stages');
    for (const name of stages.keys()) {
      if (!isStageName(name)) shape.fail(`'${name}' cannot be the name of a stage`);
      found.push([name, stages.any(name) === null ? {} : readStage(stages.map(name))]);
    }
  } else found.push(['staging', {}], ['production', {}]);
  if (!found.some(([name]) => name === 'archived')) found.push(['archived', {}]);
  return Object.fromEntries(found);
}

const STAGE_KEYS = ['from', 'metrics', 'evaluations', 'approvals', 'checks', 'signed', 'freeze', 'roles', 'override'];

function readStage(shape: Shape): StagePolicy {
  shape.only(STAGE_KEYS);
  return {
    ...shape.optional('from', (key) => shape.texts(key)),
    ...shape.optional('metrics', (key) => shape.texts(key)),
    ...shape.optional('evaluations', (key) => shape.maps(key).map(readEvaluation)),
    ...shape.optional('approvals', (key) => readApprovals(shape.map(key))),
    ...shape.optional('checks', (key) => shape.maps(key).map(readCheck)),
    ...shape.optional('signed', (key) => shape.flag(key)),
    ...shape.optional('freeze', (key) => shape.maps(key).map(readFreeze)),
    ...shape.optional('roles', (key) => shape.texts(key)),
    ...shape.optional('override', (key) => {
      const override = shape.map(key);
      override.only(['roles']);
      return { roles: override.texts('roles') };
    }),
  };
}

function readEvaluation(shape: Shape): { on: string; metrics?: string[] } {
  shape.only(['on', 'metrics']);
  return { on: shape.text('on'), ...shape.optional('metrics', (key) => shape.texts(key)) };
}

function readApprovals(shape: Shape): NonNullable<StagePolicy['approvals']> {
  shape.only(['count', 'role', 'not_author']);
  return {
    count: shape.count('count'),
    ...shape.optional('role', (key) => shape.text(key)),
    ...shape.optional('not_author', (key) => shape.flag(key)),
  };
}

function readCheck(shape: Shape): { name: string; command: string } {
  shape.only(['name', 'command']);
  return { name: shape.text('name'), command: shape.prose('command') };
}

function readFreeze(shape: Shape): { from: string; to: string; reason?: string } {
  shape.only(['from', 'to', 'reason']);
  return { from: shape.date('from'), to: shape.date('to'), ...shape.optional('reason', (key) => shape.text(key)) };
}

/** A rule that names a role or stage that is not there would hold for nobody, or for everybody. */
function checkReferences(policy: Policy, shape: Shape): void {
  const roles = new Set(Object.keys(policy.roles));
  const named = [policy.policy?.roles, policy.register?.roles];
  for (const stage of Object.values(policy.stages)) {
    named.push(stage.roles, stage.override?.roles, stage.approvals?.role === undefined ? [] : [stage.approvals.role]);
    const unknown = stage.from?.find((from) => from !== 'none' && !Object.hasOwn(policy.stages, from));
    if (unknown !== undefined) shape.fail(`a stage names the stage '${unknown}', which is not there`);
  }
  const unknown = named.flatMap((list) => list ?? []).find((role) => !roles.has(role));
  if (unknown !== undefined) shape.fail(`it names the role '${unknown}', which is not there`);
}
