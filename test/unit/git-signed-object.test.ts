import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSignedObject } from '../../src/git/signed-object.js';
import { sshFingerprint, sshKeyFingerprint, verifySshSignature } from '../../src/git/ssh-signature.js';

const field = (content: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const sha = (name: string, bytes: Uint8Array): Buffer => createHash(name).update(bytes).digest();

interface Made {
  type: string;
  blob: Buffer;
  secret: KeyObject;
  application?: string;
}

function edwards(application?: string): Made {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  const type = application === undefined ? 'ssh-ed25519' : 'sk-ssh-ed25519@openssh.com';
  const parts = [field(type), field(raw), ...(application === undefined ? [] : [field(application)])];
  return { type, blob: Buffer.concat(parts), secret: privateKey, ...(application !== undefined && { application }) };
}

function armour(
  key: Made,
  message: Uint8Array,
  given: { namespace?: string; flags?: number; type?: string } = {},
): string {
  const { namespace = 'git', flags = 1, type = key.type } = given;
  const signed = Buffer.concat([
    ...[Buffer.from('SSHSIG'), field(namespace), field(''), field('sha512'), field(sha('sha512', message))],
  ]);
  const end = Buffer.from([flags, 0, 0, 0, 7]);
  const touched =
    key.application === undefined
      ? signed
      : Buffer.concat([sha('sha256', Buffer.from(key.application)), end, sha('sha256', signed)]);
  const inner = Buffer.concat([
    field(type),
    field(sign(null, touched, key.secret)),
    ...(key.application === undefined ? [] : [end]),
  ]);
  const version = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    Buffer.from('SSHSIG'),
    version,
    field(key.blob),
    field(namespace),
    field(''),
    field('sha512'),
    field(inner),
  ]);
  return `-----BEGIN SSH SIGNATURE-----\n${whole.toString('base64').replace(/.{70}/g, '$&\n')}\n-----END SSH SIGNATURE-----`;
}

describe('SSH signatures', () => {
  const key = edwards();
  const message = Buffer.from('tree …');

  it('name the key that made them', () => {
    expect(verifySshSignature(armour(key, message), message, 'git')).toEqual({ fingerprint: sshFingerprint(key.blob) });
    expect(sshKeyFingerprint(`ssh-ed25519 ${key.blob.toString('base64')} me`)).toBe(sshFingerprint(key.blob));
    expect(sshKeyFingerprint('ssh-rsa not-a-key')).toBeUndefined();
    expect(sshKeyFingerprint(`ssh-rsa ${key.blob.toString('base64')}`)).toBeUndefined();
  });

  it('of a security key count only where somebody touched it', () => {
    const security = edwards('ssh:');
    expect(verifySshSignature(armour(security, message), message, 'git')).toEqual({
      fingerprint: sshFingerprint(security.blob),
    });
    expect(verifySshSignature(armour(security, message, { flags: 0 }), message, 'git')).toHaveProperty('problem');
  });

  it('do not hold for another message, namespace, key or algorithm', () => {
    const problem = { problem: expect.any(String) };
    expect(verifySshSignature(armour(key, message), Buffer.from('tree ..'), 'git')).toEqual(problem);
    expect(verifySshSignature(armour(key, message, { namespace: 'file' }), message, 'git')).toEqual(problem);
    expect(verifySshSignature(armour({ ...key, blob: edwards().blob }, message), message, 'git')).toEqual(problem);
    expect(verifySshSignature(armour(key, message, { type: 'ssh-rsa' }), message, 'git')).toEqual(problem);
  });

  it('that are damaged anywhere never hold, and never raise an error', () => {
    const [begin, body, end] = armour(key, message).split(/\n(?=-----)|(?<=-----)\n/) as [string, string, string];
    const bytes = Buffer.from(body.replace(/\n/g, ''), 'base64');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] as number) ^ change;
        const text = [begin, damaged.toString('base64'), end].join('\n');
        expect(verifySshSignature(text, message, 'git')).toHaveProperty('problem');
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => 'problem' in verifySshSignature(`${begin}\n${text}\n${end}`, message, 'git')),
    );
  });
});

describe('commits and tags', () => {
  it('that are signed cover everything but their signature', () => {
    const text = fc.stringMatching(/^[a-z0-9 ]{1,40}$/);
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 5 }), (message, lines) => {
        const head = `tree ${'1'.repeat(40)}\nparent ${'2'.repeat(40)}\nauthor A <a@x> 7 +0000\ncommitter B <b@x> 8 +0100\n`;
        const body = `\n${message}\n${lines.join('\n')}\n`;
        const signature = ['-----BEGIN SSH SIGNATURE-----', 'AAAA', '-----END SSH SIGNATURE-----'];
        const signed = Buffer.from(`${head}gpgsig ${signature.join('\n ')}\n${body}`);
        const read = parseSignedObject(signed);
        expect(read.payload.toString()).toBe(head + body);
        expect(read.signature).toBe(signature.join('\n'));
        expect(read).toMatchObject({
          parents: ['2'.repeat(40)],
          author: { mail: 'a@x', time: 7 },
          committer: { name: 'B' },
        });
        expect(parseSignedObject(Buffer.from(head + body))).toMatchObject({
          signature: undefined,
          message: body.slice(1),
        });
      }),
    );
  });

  it('of any bytes are read without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => parseSignedObject(Buffer.from(bytes)) !== undefined),
    );
  });
});
