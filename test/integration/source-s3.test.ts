import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSource } from '../../src/remotes/source.js';
import { type S3Server, startS3Server } from '../helpers/s3-server.js';

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

describe('a file of a bucket', () => {
  let server: S3Server;
  let bucket: string;
  beforeAll(async () => {
    server = await startS3Server();
    bucket = await server.createBucket();
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const client = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
    });
    const put = (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    await put('a folder/größe 1.csv', '0123456789');
    client.destroy();
  });
  afterAll(() => server.stop());

  const open = (url: string) => {
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const s3 = { endpoint, region, accessKeyId, secretAccessKey };
    return openSource(url, { baseDirectory: '/', environment: {}, s3 });
  };

  it('has any name, a state, and parts', async () => {
    const source = await open(`s3://${bucket}/a folder/größe 1.csv`);
    expect(source.name).toBe('größe 1.csv');
    const state = await source.stat();
    expect(state).toMatchObject({ size: 10, etag: expect.stringMatching(/^"/), modified: expect.stringMatching(/Z$/) });
    const whole = await source.read(0);
    expect([whole.start, await textOf(whole.body)]).toEqual([0, '0123456789']);
    const part = await source.read(4);
    expect([part.start, part.state, await textOf(part.body)]).toEqual([4, whole.state, '456789']);
    source.close();
  });

  it('that is not there, and what is no address of one, are errors', async () => {
    const source = await open(`s3://${bucket}/none`);
    const hint = expect.stringContaining('aws s3 cp --recursive');
    await expect(source.stat()).rejects.toMatchObject({ code: 'REMOTE_NOT_FOUND', hint });
    source.close();
    await expect(open(`s3://${bucket}/folder/`)).rejects.toMatchObject({ code: 'REMOTE_URL_INVALID', hint });
    for (const url of [`s3://${bucket}`, `s3://${bucket}/folder/`, 's3://', 'gs://b/k', '']) {
      await expect(open(url), url).rejects.toMatchObject({ code: 'REMOTE_URL_INVALID' });
    }
  });
});
