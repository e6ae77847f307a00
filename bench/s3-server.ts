import { buildApp } from 'fauxqs';

// An S3 server in memory, a process of its own so that it does not share the harness's thread. Prints its port; a line on
// standard input makes it forget everything and is answered; the end of standard input ends it.
const bucket = process.argv[2] ?? 'bench';
/** The emulator takes bodies of 11 MiB, a pack is larger. */
const BODY_LIMIT = 128 * 1024 ** 2;

async function start(port: number): Promise<ReturnType<typeof buildApp>> {
  const app = buildApp({ logger: false, host: '127.0.0.1' });
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (_request, body, done) => done(null, body),
  );
  await app.listen({ port, host: '127.0.0.1' });
  await app.inject({ method: 'PUT', url: `/${bucket}` });
  return app;
}

let app = await start(0);
const address = app.server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
process.stdout.write(`${port}\n`);
process.stdin.on('data', async () => {
  await app.close();
  app = await start(port);
  process.stdout.write('empty\n');
});
process.stdin.on('end', () => process.exit(0));
