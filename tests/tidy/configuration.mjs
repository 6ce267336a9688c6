// The table of deploy/guide/configuration.md is made from the variables' own table, and compared with it here.
// deploy/guide/generate-configuration writes it.

export const source = 'common/config/variables.cpp';
export const page = 'deploy/guide/configuration.md';
const begin = '<!-- begin: written by deploy/guide/generate-configuration -->';
const end = '<!-- end -->';
const programs = { ingest: ['ingest'], worker: ['worker'], both: ['ingest', 'worker'] };
const fields = ['name', 'used_by', 'initial', 'sentence', 'is_secret', 'also'];

// The rows of `constexpr variable table[] = {...};`, each a list of C++ values: texts, words, or {field: value}.
function rowsOf(cpp) {
  const table = cpp.match(/\bvariable table\[\] = \{([\s\S]*?)\n\};/)?.[1];
  if (!table) throw new Error(`${source} has no "variable table[] = {...};"`);
  const rows = [];
  let row;
  let field;
  let afterText = false;
  for (const [token, text, word] of table.matchAll(/\/\/[^\n]*|"((?:\\.|[^"\\])*)"|(\.?\w+)|[{}=,]/g)) {
    if (token.startsWith('//')) continue;
    if (token === '{') row = {};
    else if (token === '}') rows.push(row);
    else if (token === '=') continue;
    else if (token === ',') field = undefined;
    else if (word?.startsWith('.')) field = word.slice(1);
    else {
      // Texts side by side are one text in C++.
      const value = text === undefined ? word : text.replace(/\\(.)/g, '$1');
      if (text !== undefined && afterText) row[field] += value;
      else {
        field ??= fields[Object.keys(row).length];
        row[field] = value;
      }
    }
    afterText = text !== undefined;
  }
  return rows;
}

// A variable that both programs have with defaults of their own is one line of the table.
function variablesOf(cpp) {
  const variables = new Map();
  for (const { name, used_by, initial = '', sentence, is_secret, also } of rowsOf(cpp)) {
    if (!programs[used_by] || !sentence) throw new Error(`${source}: cannot read the row of ${name}`);
    const known = variables.get(name) ?? { name, sentence, is_secret: is_secret === 'true', also, defaults: new Map() };
    for (const program of programs[used_by]) known.defaults.set(program, initial);
    variables.set(name, known);
  }
  return [...variables.values()];
}

const code = (text) => (text === '' ? '' : `\`${text}\``);
const cell = (text) => text.replaceAll('|', '\\|');

function lineOf({ name, sentence, is_secret, also, defaults }) {
  const different = new Set(defaults.values()).size > 1;
  const initial = different
    ? [...defaults].map(([program, value]) => `${program} ${code(value)}`).join(', ')
    : code([...defaults.values()][0]);
  const used = defaults.size === 2 ? 'both' : [...defaults.keys()][0];
  const notes = [sentence, is_secret ? 'Secret.' : '', also ? `Also read as \`${also}\`.` : ''].filter(Boolean).join(' ');
  return `| \`${name}\` | ${used} | ${initial} | ${cell(notes)} |`;
}

// The page with its table made again from the C++ source; the text around the table stays.
export function withTable(text, cpp) {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} must have the lines "${begin}" and "${end}"`);
  const table = ['| variable | program | default | meaning |', '|---|---|---|---|', ...variablesOf(cpp).map(lineOf)];
  return `${text.slice(0, from)}${begin}\n${table.join('\n')}\n${text.slice(to)}`;
}

export function repeatsTheVariables(files, read, fault) {
  for (const file of [source, page]) if (!files.includes(file)) return fault(`${file} is missing`);
  try {
    if (withTable(read(page), read(source)) !== read(page))
      fault(`${page} differs from the table of ${source}; run deploy/guide/generate-configuration`);
  } catch ({ message }) {
    fault(message);
  }
}
