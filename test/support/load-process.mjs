// Loads a dataset with the built program in a separate process: node load-process.mjs MODULE OPTIONS.
// Prints one line of JSON for each event and for the result.
const [modulePath, options] = process.argv.slice(2);
const { loadDataset } = await import(modulePath);
/** @param {object} line */
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
/** @param {{ kind: string }} event */
const onEvent = (event) => event.kind === 'progress' || print(event);
const { name, sha256 } = await loadDataset({ ...JSON.parse(options), onEvent });
print({ kind: 'loaded', name, sha256 });
