import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { giveWord } from '../../src/registry/approve.js';
import type { RegistryEvent } from '../../src/registry/event.js';
import { manifestDigest } from '../../src/registry/manifest-format.js';
import { promoteVersion } from '../../src/registry/promote.js';
import type { Carried } from '../../src/registry/transition.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { testManifest } from '../helpers/registry.js';
import { auditCodes, eventFile, forceIn, type Person, person, proposerFor } from '../helpers/registry-people.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';
import { openPgpKey, sshKey } from '../helpers/signing-keys.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

let ada: Person;
let bob: Person;
let eve: Person;

beforeAll(() => {
  [ada, bob, eve] = ['Ada', 'Bob', 'Eve'].map((name) => person(name, sshKey())) as [Person, Person, Person];
});

interface Rules {
  bob?: string[];
  production?: string[];
  extra?: string[];
}

function policy({ bob: bobsKey = [], production = [], extra = [] }: Rules = {}): string {
  const signer = (who: Person, more: string[] = []): string[] => [
    `- who: ${who.mail}`,
    `  key: ${who.key?.publicKey}`,
    ...more.map((line) => `  ${line}`),
  ];
  return [
    'mlv: 1',
    'roles:',
    `  lead: [${ada.mail}, ${bob.mail}]`,
    'signers:',
    ...[...signer(ada), ...signer(bob, bobsKey)].map((line) => `  ${line}`),
    'stages:',
    '  staging: {}',
    '  production:',
    '    metrics: [auc >= 0.9]',
    '    approvals: {count: 1, role: lead}',
    '    signed: true',
    '    roles: [lead]',
    ...production.map((line) => `    ${line}`),
    'policy: {roles: [lead], signed: true}',
    ...extra,
    '',
  ].join('\n');
}

/** A registry with a policy and two versions of Ada's, 1.0.0 and 2.0.0; only Bob can approve them. */
async function story(rules: Rules = {}): Promise<string> {
  const name = JSON.stringify(rules);
  const made = stories.get(name) ?? (await makeStory(rules));
  stories.set(name, made);
  const cwd = temporaryDirectory('story');
  cpSync(made, cwd, { recursive: true });
  return cwd;
}

/** One of each kind is made, and copied for each test. */
const stories = new Map<string, string>();

async function makeStory(rules: Rules): Promise<string> {
  const cwd = makeRepository();
  writeFiles(cwd, { 'train.py': 'x' });
  const commit = commitAll(cwd);
  const { registry } = await proposerFor(cwd, ada);
  await registry.change(() => ({ subject: 'policy', policy: { text: policy(rules) } }));
  for (const version of ['1.0.0', '2.0.0']) {
    await registry.change(() => ({ subject: version, register: { manifest: manifest(commit, version) } }));
  }
  return cwd;
}

function manifest(commit: string, version: string, auc = 0.95): ReturnType<typeof testManifest> {
  return testManifest(commit, { version, author: ada.by, metrics: { auc: { value: auc } } });
}

function headManifest(cwd: string, version: string): ReturnType<typeof testManifest> {
  return manifest(git(cwd, 'rev-parse', 'HEAD').trim(), version);
}

async function approve(cwd: string, who: Person, version = '1.0.0', env: NodeJS.ProcessEnv = {}): Promise<Carried> {
  const request = {
    reference: `fraud@${version}`,
    stage: 'production',
    approved: true,
    reason: 'good',
    attachments: [],
  };
  return giveWord(await proposerFor(cwd, who, env), request);
}

async function promote(cwd: string, who: Person = ada, version = '1.0.0'): Promise<Carried> {
  const request = { reference: `fraud@${version}`, stage: 'production', traffic: 100, override: false };
  return promoteVersion(await proposerFor(cwd, who), request);
}

function approval(cwd: string, by: Person, given: Partial<RegistryEvent> & { version?: string } = {}): RegistryEvent {
  const { version = '1.0.0' } = given;
  const digest = manifestDigest(headManifest(cwd, version));
  const base = { mlv: 1, model: 'fraud', version, manifest: digest, by: by.by, at: '2026-03-02T10:00:00Z' };
  return { ...base, type: 'approved', stage: 'production', ...given } as RegistryEvent;
}

function refusal(code: string): object {
  return { code: 'REGISTRY_REFUSED', data: { refusals: expect.arrayContaining([expect.objectContaining({ code })]) } };
}

describe('an honest registry', () => {
  it('passes the audit, signed approvals and promotions included', async () => {
    const cwd = await story();
    await expect(promote(cwd)).rejects.toMatchObject(refusal('gate-approvals'));
    await approve(cwd, bob);
    const { gates, event } = await promote(cwd);
    expect(gates.map(({ gate, passed }) => [gate, passed])).toEqual([
      ['role', true],
      ['signature', true],
      ['metrics', true],
      ['approvals', true],
    ]);
    expect(event).toMatchObject({ type: 'promoted', gates: expect.any(Array) });
    expect(await auditCodes(cwd)).toEqual({ faults: [], notes: [] });
  });

  it('an override needs the policy, a reason, and is noted', async () => {
    const cwd = await story({ production: ['override: {roles: [lead]}'] });
    const request = { reference: 'fraud@1.0.0', stage: 'production', traffic: 100, override: true };
    await expect(promoteVersion(await proposerFor(cwd, ada), request)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(promoteVersion(await proposerFor(cwd, eve), { ...request, reason: 'now' })).rejects.toMatchObject(
      refusal('override-refused'),
    );
    await promoteVersion(await proposerFor(cwd, ada), { ...request, reason: 'an incident' });
    expect(await auditCodes(cwd)).toEqual({ faults: [], notes: ['override'] });
  });
});

describe('OpenPGP keys', () => {
  it('sign as SSH keys do, and end when they say so themselves', async () => {
    const [lead, gone] = [
      openPgpKey('ada@example.com'),
      openPgpKey('bob@example.com', { now: '20200101T000000', expires: '20200601T000000' }),
    ];
    const cwd = makeRepository();
    writeFiles(cwd, { 'train.py': 'x' });
    const commit = commitAll(cwd);
    const [signing, expired] = [person('Ada', lead), person('Bob', gone)];
    const block = (key: string): string =>
      key
        .trim()
        .split('\n')
        .map((line) => `      ${line}`)
        .join('\n');
    const signers = [lead, gone].map(
      ({ publicKey }, at) => `  - who: ${['ada', 'bob'][at]}@example.com\n    key: |\n${block(publicKey)}`,
    );
    const text = `mlv: 1\nsigners:\n${signers.join('\n')}\nstages:\n  production: {signed: true}\n`;
    const proposer = await proposerFor(cwd, signing);
    await proposer.registry.change(() => ({ subject: 'policy', policy: { text } }));
    await proposer.registry.change(() => ({ subject: 'one', register: { manifest: manifest(commit, '1.0.0') } }));
    await promote(cwd, signing);
    expect(await auditCodes(cwd)).toEqual({ faults: [], notes: ['policy-open'] });
    const backThen = { ...expired, env: { ...expired.env, ...(await fakedGpg(cwd, '20200301T000000')) } };
    forceIn(cwd, backThen, { files: eventFile(approval(cwd, expired), 3), sign: true });
    expect((await auditCodes(cwd)).faults).toEqual(['key-expired']);
  });
});

/** A gpg that takes it to be another day, as somebody who dates a signature back would have it. */
async function fakedGpg(cwd: string, now: string): Promise<Record<string, string>> {
  const program = join(cwd, '.git', 'gpg-then');
  writeFileSync(program, `#!/bin/sh\nexec gpg --faked-system-time ${now} "$@"\n`, { mode: 0o755 });
  return { GIT_CONFIG_COUNT: '3', GIT_CONFIG_KEY_2: 'gpg.program', GIT_CONFIG_VALUE_2: program };
}

describe('what is tried against a registry, with mlv and with plain Git', () => {
  it('a manifest that was changed', async () => {
    const cwd = await story();
    const path = 'models/fraud/versions/1.0.0.yaml';
    const text = git(cwd, 'show', `mlv-registry:${path}`).replace('0.95', '0.99');
    forceIn(cwd, eve, { files: { [path]: text } });
    await expect(approve(cwd, bob)).rejects.toMatchObject({ code: 'REGISTRY_INVALID' });
    expect((await auditCodes(cwd)).faults).toEqual(['manifest-changed']);
  });

  it('an event that was changed, and one that was taken away', async () => {
    const cwd = await story();
    await approve(cwd, bob);
    const paths = git(cwd, 'ls-tree', '-r', '--name-only', 'mlv-registry', 'models/fraud/events').trim().split('\n');
    const last = paths.at(-1) as string;
    const text = git(cwd, 'show', `mlv-registry:${last}`);
    forceIn(cwd, eve, { files: { [last]: text.replace('1.0.0', '2.0.0') } });
    await expect(promote(cwd)).rejects.toMatchObject({ code: 'REGISTRY_INVALID' });
    expect((await auditCodes(cwd)).faults).toEqual(['event-changed']);
    forceIn(cwd, eve, { files: { [last]: undefined } });
    expect((await auditCodes(cwd)).faults).toContain('event-removed');
  });

  it('a policy that somebody without the right changed', async () => {
    const cwd = await story();
    const loose = policy().replace('    approvals: {count: 1, role: lead}\n', '');
    const { registry } = await proposerFor(cwd, eve);
    const change = registry.change(() => ({ subject: 'policy', policy: { text: loose } }));
    await expect(change).rejects.toMatchObject(refusal('policy-role'));
    forceIn(cwd, eve, { files: { 'policy.yaml': loose }, sign: true });
    await expect(promote(cwd)).rejects.toMatchObject(refusal('policy-forged'));
    expect((await auditCodes(cwd)).faults).toEqual(['policy-role', 'signer-unknown']);
  });

  it('a policy loosened in the change that uses it', async () => {
    const cwd = await story();
    const loose = policy().replace('    approvals: {count: 1, role: lead}\n', '');
    const event = { ...approval(cwd, ada), type: 'promoted', from: 'none', traffic: 100 } as RegistryEvent;
    const { registry } = await proposerFor(cwd, ada);
    const change = registry.change(() => ({ subject: 'both', policy: { text: loose }, events: [event] }));
    await expect(change).rejects.toMatchObject(refusal('policy-with-use'));
    forceIn(cwd, ada, { files: { 'policy.yaml': loose, ...eventFile(event, 3) }, sign: true });
    expect((await auditCodes(cwd)).faults).toEqual(['gate-approvals', 'policy-with-use']);
  });

  it('an approval of one’s own version', async () => {
    const cwd = await story();
    await expect(approve(cwd, ada)).rejects.toMatchObject(refusal('self-approval'));
    forceIn(cwd, ada, { files: eventFile(approval(cwd, ada), 3), sign: true });
    await expect(promote(cwd)).rejects.toMatchObject(refusal('gate-approvals'));
    expect((await auditCodes(cwd)).faults).toEqual(['self-approval']);
  });

  it('an approval in the name of somebody else, and one without a signature', async () => {
    const cwd = await story();
    forceIn(cwd, eve, { files: eventFile(approval(cwd, bob), 3) });
    await expect(promote(cwd)).rejects.toMatchObject(refusal('gate-approvals'));
    expect((await auditCodes(cwd)).faults).toEqual(['approval-role', 'author-differs', 'unsigned']);
    const posing = { ...eve, env: { ...bob.env, GIT_CONFIG_VALUE_1: eve.key?.settings['user.signingkey'] } };
    forceIn(cwd, posing, { files: eventFile(approval(cwd, bob, { at: '2026-03-03T10:00:00Z' }), 4), sign: true });
    await expect(promote(cwd)).rejects.toMatchObject(refusal('gate-approvals'));
    expect((await auditCodes(cwd)).faults).toContain('signer-unknown');
  });

  it('an approval replayed from another version', async () => {
    const cwd = await story();
    await approve(cwd, bob, '1.0.0');
    const replayed = approval(cwd, bob, { version: '2.0.0', manifest: manifestDigest(headManifest(cwd, '1.0.0')) });
    const { registry } = await proposerFor(cwd, bob);
    const change = registry.change(() => ({ subject: 'replay', events: [replayed], sign: true }));
    await expect(change).rejects.toMatchObject({ code: 'REGISTRY_INVALID' });
    forceIn(cwd, bob, { files: eventFile(replayed, 4), sign: true });
    await expect(promote(cwd, ada, '2.0.0')).rejects.toMatchObject({ code: 'REGISTRY_INVALID' });
    expect((await auditCodes(cwd)).faults).toEqual(['approval-replayed']);
  });

  it('an approval for one stage opens no other, and the file of one cannot be put in again', async () => {
    const cwd = await story();
    const request = { reference: 'fraud@1.0.0', stage: 'staging', approved: true, reason: 'ok', attachments: [] };
    await giveWord(await proposerFor(cwd, bob), request);
    await expect(promote(cwd)).rejects.toMatchObject(refusal('gate-approvals'));
    const replayed = approval(cwd, bob, { at: '2026-03-04T10:00:00Z' });
    forceIn(cwd, eve, { files: eventFile(replayed, 4) });
    await expect(promote(cwd)).rejects.toMatchObject(refusal('gate-approvals'));
    forceIn(cwd, eve, { files: eventFile(replayed, 3) });
    expect((await auditCodes(cwd)).faults).toContain('seq-reused');
  });

  it('a key that has expired', async () => {
    const cwd = await story({ bob: ['valid_before: 2020-01-01T00:00:00Z'] });
    await expect(approve(cwd, bob)).rejects.toMatchObject(refusal('key-expired'));
    forceIn(cwd, bob, { files: eventFile(approval(cwd, bob), 3), sign: true });
    await expect(promote(cwd)).rejects.toMatchObject(refusal('gate-approvals'));
    expect((await auditCodes(cwd)).faults).toEqual(['key-expired']);
  });

  it('a signature dated back to when the key was good', async () => {
    const cwd = await story({ bob: ['valid_before: 2020-01-01T00:00:00Z'] });
    const date = '2019-06-01T12:00:00Z';
    const dates = { GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date };
    await expect(approve(cwd, bob, '1.0.0', dates)).rejects.toMatchObject(refusal('back-dated'));
    forceIn(cwd, bob, { files: eventFile(approval(cwd, bob), 3), sign: true, date });
    await expect(promote(cwd)).rejects.toMatchObject(refusal('gate-approvals'));
    expect((await auditCodes(cwd)).faults).toEqual(['back-dated', 'key-expired']);
  });

  it('a key that was revoked counts for what it signed before, and for nothing new', async () => {
    const cwd = await story();
    await approve(cwd, bob, '1.0.0');
    const { registry } = await proposerFor(cwd, ada);
    await registry.change(() => ({ subject: 'revoke', policy: { text: policy({ bob: ['revoked: true'] }) } }));
    await expect(approve(cwd, bob, '2.0.0')).rejects.toMatchObject(refusal('key-revoked'));
    await promote(cwd, ada, '1.0.0');
    expect((await auditCodes(cwd)).faults).toEqual([]);
    forceIn(cwd, bob, { files: eventFile(approval(cwd, bob, { version: '2.0.0' }), 5), sign: true });
    await expect(promote(cwd, ada, '2.0.0')).rejects.toMatchObject(refusal('gate-approvals'));
    expect((await auditCodes(cwd)).faults).toEqual(['key-revoked']);
  });

  it('a promotion that was never judged', async () => {
    const cwd = await story();
    const event = { ...approval(cwd, eve), type: 'promoted', from: 'none', traffic: 100 } as RegistryEvent;
    forceIn(cwd, eve, { files: eventFile(event, 3) });
    expect((await auditCodes(cwd)).faults).toEqual(['gate-approvals', 'gate-role', 'gate-signature']);
  });

  it('an override that the policy gives nobody', async () => {
    const cwd = await story();
    const event = {
      ...approval(cwd, ada),
      type: 'promoted',
      from: 'none',
      traffic: 100,
      override: true,
      reason: 'now',
    };
    forceIn(cwd, ada, { files: eventFile(event as RegistryEvent, 3), sign: true });
    expect((await auditCodes(cwd)).faults).toEqual(['gate-approvals', 'override-refused']);
  });

  it('a tag that was moved, replaced, given another digest, or taken away', async () => {
    const cwd = await story();
    const tag = 'fraud@1.0.0';
    const real = git(cwd, 'cat-file', 'tag', tag);
    git(cwd, 'commit', '-q', '--allow-empty', '-m', 'other');
    git(cwd, 'tag', '-f', '-a', tag, '-m', real.split('\n\n').slice(1).join('\n\n'), 'HEAD');
    expect((await auditCodes(cwd)).faults).toEqual(['tag-moved']);
    git(cwd, 'tag', '-f', tag, 'HEAD~1');
    expect((await auditCodes(cwd)).faults).toEqual(['tag-replaced']);
    git(cwd, 'tag', '-f', '-a', tag, '-m', `manifest: sha256:${'0'.repeat(64)}`, 'HEAD~1');
    expect((await auditCodes(cwd)).faults).toEqual(['tag-digest']);
    git(cwd, 'tag', '-d', tag);
    expect((await auditCodes(cwd)).faults).toEqual(['tag-missing']);
  });

  it('a history that was rewritten, merged, or cut by a graft', async () => {
    const cwd = await story();
    expect((await auditCodes(cwd)).faults).toEqual([]);
    const tip = git(cwd, 'rev-parse', 'mlv-registry').trim();
    git(cwd, 'update-ref', 'refs/heads/mlv-registry', 'mlv-registry~1');
    expect((await auditCodes(cwd)).faults).toEqual(['history-rewritten']);
    git(cwd, 'update-ref', 'refs/heads/mlv-registry', tip);
    git(cwd, 'replace', '--graft', `${tip}~1`);
    expect((await auditCodes(cwd)).faults).toEqual([]);
    git(cwd, 'replace', '-d', `${tip}~1`);
    forceIn(cwd, ada, { files: {}, merge: git(cwd, 'rev-parse', 'HEAD').trim() });
    expect((await auditCodes(cwd)).faults).toEqual(['merge']);
  });
});
