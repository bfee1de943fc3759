#!/usr/bin/env node
// Plain JavaScript, so that the command exists before the first build: npx links it into its cache when it is first
// called in a clone, and does not recover if the file is missing.
import { existsSync } from 'node:fs';
import v8 from 'node:v8';

// From Node 24 on, two more of V8's compilers work in the background, and now and then a process hangs at its very end: they
// wait for the main thread to collect garbage, which waits for them to end (nodejs/node issues 54918 and 64274).
if (Number.parseInt(process.versions.node, 10) >= 24) {
  for (const flag of ['--no-maglev', '--no-concurrent-sparkplug']) v8.setFlagsFromString(flag);
}

const built = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(built)) {
  const { main } = await import(built.href).catch((error) => {
    // Node opens all modules at once, and has many errors for the files that it cannot open, such as a package not found.
    const report = /** @type {{ userLimits?: { open_files: { soft: unknown } } }} */ (process.report.getReport());
    const limit = Number(report.userLimits?.open_files.soft);
    if (!(limit < 100)) throw error;
    console.error(`error: nn-train may open only ${limit} files at a time; raise the limit (ulimit -n 256)`);
    process.exit(1);
  });
  const exitCode = await main(process.argv.slice(2), process);
  // Exit even if something that nobody waits for is still open, such as a connection to a silent server.
  process.exit(exitCode);
} else {
  console.error('error: nn-train is not built yet; run npm ci first');
  process.exitCode = 1;
}
