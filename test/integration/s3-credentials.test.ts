import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesBody, type Remote } from '../../src/remotes/remote.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import type { S3Options } from '../../src/remotes/s3-options.js';
import { failureOf } from '../conformance/remote.js';
import { answer, error, type ScriptedServer, startScriptedServer, stored } from '../helpers/scripted-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const before = { ...process.env };
const expiration = '2099-01-01T00:00:00Z';

let server: ScriptedServer;
let directory: string;
let opened: Remote[];

beforeEach(async () => {
  server = await startScriptedServer();
  directory = temporaryDirectory('credentials');
  opened = [];
  mkdirSync(join(directory, 'aws'));
  // The SDK reads the real environment and files; a path of its own for each test, because it keeps what it read.
  process.env.AWS_CONFIG_FILE = join(directory, 'aws', 'config');
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(directory, 'aws', 'credentials');
});

afterEach(async () => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  for (const remote of opened) await remote.close();
  await server.stop();
});

async function open(extra: Partial<S3Options> = {}): Promise<Remote> {
  const { endpoint } = server;
  const remote = await openS3Remote({ bucket: 'bucket', endpoint, environment: process.env, ...extra });
  opened.push(remote);
  return remote;
}

/** The key id and the region that the server was shown. */
async function shown(remote: Remote): Promise<string | undefined> {
  server.script(stored);
  await remote.put('a', bytesBody(Buffer.from('x')));
  const [, id, region] =
    /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(server.seen.at(-1)?.headers.authorization ?? '') ?? [];
  return `${id} ${region}`;
}

function profile(text: string, file: 'config' | 'credentials' = 'credentials'): void {
  writeFileSync(join(directory, 'aws', file), text);
}

describe('the credentials of the S3 remote', () => {
  it('come from the settings before anything else', async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'FROMENV', AWS_SECRET_ACCESS_KEY: 's' });
    const remote = await open({
      accessKeyId: 'FROMSETTINGS',
      secretAccessKey: 's',
      sessionToken: 'token',
      region: 'eu-west-3',
    });
    expect(await shown(remote)).toBe('FROMSETTINGS eu-west-3');
    expect(server.seen[0]?.headers['x-amz-security-token']).toBe('token');
    expect(await remote.describeCredentials?.()).toEqual({ name: 'the settings of the remote (access-key-id)' });
  });

  it('come from the environment, the region too', async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'FROMENV', AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'eu-north-1' });
    const remote = await open();
    expect(await shown(remote)).toBe('FROMENV eu-north-1');
    expect(await remote.describeCredentials?.()).toEqual({ name: 'the environment (AWS_ACCESS_KEY_ID)' });
  });

  it('come from a profile by its name, the region too', async () => {
    profile(
      '[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = s\n[ml]\naws_access_key_id = FROMML\naws_secret_access_key = s\n',
    );
    profile('[profile ml]\nregion = ap-south-1\n', 'config');
    const remote = await open({ profile: 'ml' });
    expect(await shown(remote)).toBe('FROMML ap-south-1');
    const { name } = (await remote.describeCredentials?.())!;
    expect(name).toContain("the profile 'ml'");
    expect(name).toContain(join(directory, 'aws', 'credentials'));
  });

  it('come from the profile that AWS_PROFILE names, or else from the default one', async () => {
    profile(
      '[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = s\n[team]\naws_access_key_id = TEAM\naws_secret_access_key = s\n',
    );
    const first = await open();
    expect(await shown(first)).toBe('DEFAULT us-east-1');
    expect((await first.describeCredentials?.())?.name).toContain("the profile 'default'");
    process.env.AWS_PROFILE = 'team';
    const second = await open();
    expect(await shown(second)).toBe('TEAM us-east-1');
    expect((await second.describeCredentials?.())?.name).toContain("the profile 'team'");
  });

  it('come from a command of a profile, with the time when they expire', async () => {
    const script = join(directory, 'print.mjs');
    const keys = { Version: 1, AccessKeyId: 'FROMCOMMAND', SecretAccessKey: 's', Expiration: expiration };
    writeFileSync(script, `console.log(${JSON.stringify(JSON.stringify(keys))})`);
    profile(`[profile tool]\ncredential_process = "${process.execPath}" "${script}"\n`, 'config');
    const remote = await open({ profile: 'tool' });
    expect(await shown(remote)).toBe('FROMCOMMAND us-east-1');
    const { name, expires } = (await remote.describeCredentials?.())!;
    expect(name).toMatch(/the profile 'tool' \(.*credential_process\)/);
    expect(expires).toBe(Date.parse(expiration));
  });

  it("come from the container's role", async () => {
    process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `${server.endpoint}/role`;
    const keys = { AccessKeyId: 'FROMROLE', SecretAccessKey: 's', Token: 't', Expiration: expiration };
    server.script(answer(200, { 'content-type': 'application/json' }, JSON.stringify(keys)));
    const remote = await open();
    expect(await shown(remote)).toBe('FROMROLE us-east-1');
    expect((await remote.describeCredentials?.())?.name).toBe("the container's role");
  });

  it.each([
    ['the settings', { accessKeyId: 'A', secretAccessKey: 's' }, 'the settings of the remote', 'access-key-id'],
    ['a profile', { profile: 'ml' }, "the profile 'ml'", "the profile 'ml'"],
    ['the environment', {}, 'the environment (AWS_ACCESS_KEY_ID)', 'AWS_SECRET_ACCESS_KEY'],
  ])('are named with advice when the server refuses those of %s', async (_what, extra, named, advised) => {
    profile('[ml]\naws_access_key_id = FROMML\naws_secret_access_key = s3cr3t\n');
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'FROMENV', AWS_SECRET_ACCESS_KEY: 's3cr3t' });
    server.script(error(403, 'SignatureDoesNotMatch'));
    const failure = await failureOf((await open(extra)).get('a'));
    expect(failure).toMatchObject({ code: 'REMOTE_DENIED', hint: expect.stringContaining(advised) });
    expect(failure.message).toContain(named);
    expect(failure.data.credentialSource).toContain(named);
    expect(failure.message).not.toMatch(/s3cr3t|FROM(?:ML|ENV)/);
  });

  it('are missed with every source that was tried, and without a request', async () => {
    const remote = await open();
    const failure = await failureOf(remote.get('a'));
    expect(failure).toMatchObject({ code: 'REMOTE_DENIED', hint: expect.stringContaining('aws configure') });
    const words = [
      'AWS_ACCESS_KEY_ID',
      "the profile 'default'",
      'AWS_WEB_IDENTITY_TOKEN_FILE',
      'container',
      'EC2 metadata',
    ];
    let position = -1;
    for (const word of words) {
      const next = failure.message.indexOf(word, position + 1);
      expect(next, word).toBeGreaterThan(position);
      position = next;
    }
    expect(server.seen).toEqual([]);
    expect(await failureOf(remote.describeCredentials!())).toMatchObject({ code: 'REMOTE_DENIED' });
  });

  it('are missed with the name of the profile that is not there', async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'FROMENV', AWS_SECRET_ACCESS_KEY: 's' });
    const failure = await failureOf((await open({ profile: 'nobody' })).stat('a'));
    expect(failure).toMatchObject({ code: 'REMOTE_DENIED' });
    expect(failure.message).toContain("the profile 'nobody'");
    expect(failure.message).not.toContain('the environment (');
  });
});
