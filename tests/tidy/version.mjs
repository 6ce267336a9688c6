// The product's version is the one in the plugin's package.json (cmake/product_version.cmake). What must repeat it is compared here.

const versionFile = 'deploy/strapi-plugin/package.json';

// A place that repeats the version: which files, and where in their text.
const places = [
  [/^deploy\/kubernetes\/overlays\/[^/]+\/kustomization\.yaml$/, /newTag: (\d[\w.-]*)/g],
  [/\.(md|yaml|yml)$/, /clerk-strapi-sync:(\d[\w.-]*)/g],
  [/^(.*\/)?CMakeLists\.txt$/, /^project\([^)]*VERSION (\d[\w.-]*)/gm],
  [/^CHANGELOG\.md$/, /^## [^\n(]*\((\d+\.\d+\.\d+)\)/gm],
];
// `urn:clerk-strapi-sync:user-event:1` and versions of other software do not match.

export function repeatsTheVersion(files, read, fault) {
  const { version } = JSON.parse(read(versionFile));
  if (!/^\d+\.\d+\.\d+$/.test(version ?? '')) return fault(`${versionFile} has version ${version}; write X.Y.Z`);
  for (const [pattern, place] of places)
    for (const file of files.filter((name) => pattern.test(name)))
      for (const [found, repeated] of read(file).matchAll(place))
        if (repeated !== version) fault(`${file} has "${found}", but the version in ${versionFile} is ${version}`);
}
