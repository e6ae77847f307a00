import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openGit } from '../../src/git/open.js';
import type { CheckedObject, Signatures } from '../../src/git/signed-object.js';
import { gitTestEnvironment, type TestRepository, testRepository } from '../helpers/git.js';
import { openPgpKey, type SigningKey, signWith, sshKey } from '../helpers/signing-keys.js';

function signedCommit(repository: TestRepository, key: SigningKey): string {
  const args = [...signWith(key), 'commit', '-q', '-S', '--allow-empty', '-m', 'a change\n\nwith a body'];
  execFileSync('git', args, { cwd: repository.dir, env: { ...repository.env, ...key.env }, stdio: 'pipe' });
  return repository.git('rev-parse', 'HEAD');
}

/** The same commit with another message, and the signature as it was. */
function tampered(repository: TestRepository, commit: string): string {
  const raw = execFileSync('git', ['cat-file', 'commit', commit], { cwd: repository.dir, encoding: 'utf8' });
  const options = { cwd: repository.dir, encoding: 'utf8' as const, input: raw.replace('a change', 'b change') };
  return execFileSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], options).trim();
}

async function withSignatures<T>(repository: TestRepository, use: (signatures: Signatures) => Promise<T>): Promise<T> {
  const signatures = await (await openGit(repository.dir, { env: repository.env })).signatures();
  try {
    return await use(signatures);
  } finally {
    signatures.close();
  }
}

async function proofOf(repository: TestRepository, object: string, keys: string[]): Promise<CheckedObject> {
  return withSignatures(repository, async (signatures) => {
    await signatures.learn(keys);
    return (await signatures.read([object])).get(object) as CheckedObject;
  });
}

describe('signatures of commits and tags', () => {
  it.each(['ed25519', 'ecdsa', 'rsa'] as const)('an SSH signature by an %s key names the key', async (type) => {
    const repository = testRepository();
    const key = sshKey(type);
    const commit = signedCommit(repository, key);
    const listed = execFileSync('ssh-keygen', ['-lf', key.settings['user.signingkey'] as string], { encoding: 'utf8' });
    const { proof, author, message } = await proofOf(repository, commit, []);
    expect(proof).toEqual({ kind: 'made', key: listed.split(' ')[1] });
    expect(author).toMatchObject({ name: 'Ada', mail: 'ada@example.com' });
    expect(message).toBe('a change\n\nwith a body\n');
    const forged = tampered(repository, commit);
    expect((await proofOf(repository, forged, [])).proof).toEqual({
      kind: 'bad',
      why: 'it does not fit what was signed',
    });
  });

  it('an OpenPGP signature names the key where the key is known, and is unknown elsewhere', async () => {
    const repository = testRepository();
    const key = openPgpKey('ada@example.com');
    const commit = signedCommit(repository, key);
    await withSignatures(repository, async (signatures) => {
      expect((await signatures.read([commit])).get(commit)?.proof.kind).toBe('unknown');
      await signatures.learn([key.publicKey]);
      const facts = signatures.keyFacts(key.publicKey);
      expect(facts?.fingerprint).toMatch(/^[0-9A-F]{40}$/);
      expect((await signatures.read([commit])).get(commit)?.proof).toEqual({ kind: 'made', key: facts?.fingerprint });
      const forged = tampered(repository, commit);
      expect((await signatures.read([forged])).get(forged)?.proof.kind).toBe('bad');
    });
  });

  it('a signed tag is checked as a commit is, and what carries no signature says so', async () => {
    const repository = testRepository();
    const key = sshKey();
    const commit = repository.commit('plain', { a: 'a' });
    const env = { ...repository.env, ...key.env };
    execFileSync('git', [...signWith(key), 'tag', '-s', 'v1', '-m', 'one\n\nmanifest: x'], {
      cwd: repository.dir,
      env,
    });
    repository.git('tag', '-a', 'v2', '-m', 'two');
    const [signed, plain] = ['v1', 'v2'].map((name) => repository.git('rev-parse', `refs/tags/${name}`)) as [
      string,
      string,
    ];
    await withSignatures(repository, async (signatures) => {
      const read = await signatures.read([signed, plain, commit]);
      expect(read.get(signed)).toMatchObject({
        proof: { kind: 'made' },
        target: commit,
        message: 'one\n\nmanifest: x\n',
      });
      expect(read.get(plain)).toMatchObject({ proof: { kind: 'none' }, tag: 'v2', targetKind: 'commit' });
      expect(read.get(commit)?.proof).toEqual({ kind: 'none' });
    });
  });

  it('a signature made for something else than Git does not count', async () => {
    const repository = testRepository();
    const key = sshKey();
    const commit = signedCommit(repository, key);
    const raw = execFileSync('git', ['cat-file', 'commit', commit], { cwd: repository.dir, encoding: 'utf8' });
    const payload = raw.replace(/^gpgsig [^\n]*\n(?: [^\n]*\n)*/m, '');
    const file = (key.settings['user.signingkey'] as string).replace(/\.pub$/, '');
    const other = execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'file', '-f', file], {
      input: payload,
      encoding: 'utf8',
    });
    const header = `gpgsig ${other.trim().replaceAll('\n', '\n ')}\n`;
    const options = { cwd: repository.dir, encoding: 'utf8' as const, input: payload.replace('\n\n', `\n${header}\n`) };
    const forged = execFileSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], options).trim();
    expect((await proofOf(repository, forged, [])).proof).toEqual({
      kind: 'bad',
      why: "it was made for 'file', not 'git'",
    });
  });

  it('replacements of git replace are not looked at', async () => {
    const repository = testRepository({ env: gitTestEnvironment() });
    const first = repository.commit('first');
    const second = repository.commit('second');
    repository.git('replace', first, second);
    expect((await proofOf(repository, first, [])).message).toBe('first\n');
  });
});
