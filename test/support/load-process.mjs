// Loads images with the built product, in a process of its own: node load-process.mjs DIST OPTIONS.
// Prints one line of JSON for each event, and for what came of it.
const [dist, options] = process.argv.slice(2);
const { loadDataset } = await import(dist);
/** @param {object} line */
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
/** @param {{ kind: string }} event */
const onEvent = (event) => event.kind === 'progress' || print(event);
const { name, sha256 } = await loadDataset({ ...JSON.parse(options), onEvent });
print({ kind: 'loaded', name, sha256 });
