// Files that the documentation names must exist: targets of links, and paths in backticks.
import path from 'node:path';

const withExtension = /\.(cpp|hpp|mjs|js|ts|sql|ya?ml|md|bash|json|py|svg|conf|env|txt|xml)$/;
// Paths of other projects and of a user's machine, and names with a placeholder, are no claims about this tree.
const foreign = /[*<>${}]|^(\/|~|\.\.?\/?$|https?:|node_modules|build\/|\/etc|config\/|src\/|public\/)/;

export function namedFilesExist(files, read, fault) {
  const all = new Set(files);
  for (const file of files) for (let folder = path.dirname(file); folder !== '.'; folder = path.dirname(folder)) all.add(folder);
  const exists = (name) => all.has(name) || files.some((file) => file.startsWith(`${name}.`));
  for (const file of files.filter((name) => name.endsWith('.md'))) {
    const folder = path.dirname(file);
    const here = (target) => path.normalize(path.join(folder, target)).replace(/\/$/, '');
    const prose = read(file).replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
    for (const [, target] of prose.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g))
      if (!/^[a-z]+:/.test(target) && !exists(here(target))) fault(`${file} links to ${target}, which is not there`);
    for (const [, code] of prose.matchAll(/`([\w.-]+(?:\/[\w.-]+)+)`/g)) {
      if (foreign.test(code)) continue;
      const [first] = code.split('/');
      const claims = withExtension.test(code) || all.has(first) || all.has(here(first));
      if (claims && ![code, here(code), `tests/unit/${code}`, `${folder}/slow/${code}`].some((name) => exists(path.normalize(name)))) fault(`${file} names ${code}, which is not there`);
    }
  }
}
