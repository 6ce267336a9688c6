// The catalogue of tests/README.md against the tests themselves: each of its rows is in the name of a test, or of a row of a
// test's table.

// Rows of the catalogue, by letter. B21 was never given.
const rows = { A: 20, B: 22, C: 12, D: 12, E: 12, F: 32 };
const neverGiven = new Set(['B21']);

// A name begins or ends with its rows: "A1-A9, A13: ...", "[I6] C2: ...", "D3 an unknown type", "... (B4, I6)".
const label = String.raw`[A-I]\d{1,2}(?:-[A-I]?\d{1,2})?`;
const places = [
  new RegExp(String.raw`^(?:\[[^\]]+\] )?(${label}(?:, ${label})*)[ :]`),
  ...[String.raw`\((${label}(?:, ${label})*)\)`, String.raw`\[(${label}(?:, ${label})*)\]`].map((list) => new RegExp(`${list}(?: \\[[^\\]]+\\])?$`)),
];

function* rowsIn(name) {
  for (const place of places)
    for (const [, letter, from, to] of (place.exec(name)?.[1] ?? '').matchAll(/([A-F])(\d{1,2})(?:-[A-F]?(\d{1,2}))?/g))
      for (let row = Number(from); row <= Number(to ?? from); ++row) yield `${letter}${row}`;
}

// Names of tests and of the rows of their tables stand in quotes.
function namesIn(text) {
  return [...text.matchAll(/"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`([^`]*)`/g)].map(([, a, b, c]) => a ?? b ?? c);
}

export function everyRowIsTested(files, read, fault) {
  const tested = new Map();
  for (const file of files.filter((name) => /^tests\/.*\.(cpp|hpp|mjs|py|yaml)$/.test(name) && !name.startsWith('tests/tidy/')))
    for (const name of namesIn(read(file)))
      for (const row of rowsIn(name)) tested.set(row, [...(tested.get(row) ?? []), file]);
  for (const [letter, count] of Object.entries(rows))
    for (let row = 1; row <= count; ++row)
      if (!tested.has(`${letter}${row}`) && !neverGiven.has(`${letter}${row}`))
        fault(`no test has row ${letter}${row} of the catalogue (tests/README.md, tests/faults/README.md) in its name`);
}
