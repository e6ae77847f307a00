// Azurite, Microsoft's emulator of Azure Blob Storage, as a process of its own, on a free port of loopback, in memory.
// It prints its address and ends with its standard input.
process.argv.push(
  '--blobPort',
  '0',
  '--inMemoryPersistence',
  '--skipApiVersionCheck',
  '--disableTelemetry',
  '--silent',
);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
await import('azurite/dist/src/blob/main.js');
