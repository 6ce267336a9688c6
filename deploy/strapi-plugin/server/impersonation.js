'use strict';

// Paths that are closed to tokens with an actor (impersonation). The same rule as ingest's for gateways: the path is
// decoded once, converted to lower case, doubled slashes are collapsed, and whole segments are compared. A path that
// two programs could read differently counts as unreadable.

const isOdd = (text) => /[\u0000-\u001f\u007f\\;#]/.test(text);

// The segments of a path, or null for an unreadable one.
function readPath(path) {
  if (typeof path !== 'string' || !path.startsWith('/') || isOdd(path) || /[^\u0021-\u007e]/.test(path)) return null;
  if (/%(?![0-9a-f]{2})|%(?:2f|25|3f)/i.test(path)) return null;
  const decoded = path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))); // bytes, as characters
  if (isOdd(decoded)) return null;
  const segments = decoded.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).split('/').filter((segment) => segment !== '');
  return segments.some((segment) => segment === '.' || segment === '..') ? null : segments;
}

const readPrefix = (entry) => (typeof entry === 'string' && !/[*?]/.test(entry) ? readPath(entry) : null);

const isEverything = (entries) => entries.length === 1 && entries[0] === '*';

function faultOfNoImpersonation(entries) {
  if (!Array.isArray(entries)) return "noImpersonation must be a list of paths, such as ['/api/orders'], or ['*'] for every route";
  if (isEverything(entries)) return null;
  const refused = entries.filter((entry) => readPrefix(entry) === null);
  if (refused.length === 0) return null;
  return `noImpersonation must list plain paths that begin with a slash, or '*' alone, but contains ${refused.map((entry) => JSON.stringify(entry)).join(', ')}`;
}

// Requires valid entries. An unreadable path is closed as soon as the list has an entry.
function createImpersonationRule(entries) {
  const prefixes = isEverything(entries) ? [[]] : entries.map(readPrefix);
  return function isClosed(path) {
    if (prefixes.length === 0) return false;
    const segments = readPath(path);
    return segments === null || prefixes.some((prefix) => prefix.every((segment, i) => segment === segments[i]));
  };
}

module.exports = { createImpersonationRule, faultOfNoImpersonation };
