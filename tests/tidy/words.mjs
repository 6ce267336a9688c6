// The words of this project: documentation, comments, string literals and test names use the field's standard terms and
// plain verbs. A hit names the file, the line and what to write instead. A line that quotes other software ends with
// the marker `(quoted)`, or has it in a comment.

const people = 'name the component or "the user"; people are "they"';
const words = [
  // People: components are "it".
  [/\b(he|his|him|himself|whoever|whom|somebody|nobody|everybody|anybody)\b/i, people],
  // Verbs that a reader must translate.
  [/\b(tells?|told|telling)\b/i, 'reports, returns, logs, names'],
  [/\b(says|said)\b/i, 'reports, states, names'],
  [/\b(hears?|heard)\b/i, 'receives, notices'],
  [/\bhand(s|ed)? (it |them )?(on|out|over)\b/i, 'passes, returns, delivers'],
  [/\bstands?\b(?!-in| in\b|ing\b|alone)/i, 'is, lies, is paused, is stuck'],
  [/\b(goes|go|went|going) on\b/i, 'continues'],
  [/\b(comes?|came) back\b/i, 'returns, recovers'],
  [/\b(makes?|made) room\b/i, 'drops, closes'],
  [/\bmend(s|ed|ing)?\b/i, 'fixes, repairs'],
  [/\bheal(s|ing)?\b/i, 'recovers'], // `healed` is the label of an outcome
  [/\b(gives?|gave|given) up\b/i, 'stops, releases, times out'],
  [/\b(judges?|judged|judging|verdicts?)\b/i, 'verifies, decides, decision'],
  [/\b(knows|knew)\b/i, 'has, stores, recognises'],
  [/\b(learns?|learned|learnt)\b/i, 'reads, receives'],
  [/\banew\b/i, 'again'],
  [/\bafresh\b/i, 'again'],
  // Vocabulary.
  [/(?<!clerk\.)\bfirst[- ]sights?\b/i, 'just-in-time provisioning'],
  [/\bsightings?\b/i, 'just-in-time provisioning'],
  [/\bnewcomers?\b/i, 'new users, just-in-time provisioning'],
  [/\blanes?\b/i, 'pipeline'],
  [/\b(open|parked|redriven) letters?\b/i, 'dead letter'],
  [/\bset aside\b/i, 'dead-letter'],
  [/\b(wish|wishes)\b/i, 'desired value'],
  [/\bdoes without\b/i, 'waits for the value'],
  [/\bmakes? do\b/i, 'uses'],
];
// "stands for" and "stand-in" are ordinary; "go on" etc. are not.

const marker = '(quoted)';

// The texts of a file that people read, each with its line number.
function* markdown(text) {
  let fenced = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    else if (!fenced) yield [index + 1, line.replace(/`[^`]*`/g, '`').replace(/\]\([^)]*\)/g, ']')];
  }
}

function* commentsAndStrings(text, comment, strings) {
  let raw = false; // inside R"(...)" or a template literal: SQL and programs, not prose
  for (const [index, line] of text.split('\n').entries()) {
    if (/R"\w*\(/.test(line) && !/\)\w*"/.test(line.slice(line.search(/R"\w*\(/) + 2))) raw = true;
    if (raw) {
      if (/\)\w*"/.test(line)) raw = false;
      continue;
    }
    if (line.includes(marker)) continue;
    const found = comment.exec(line);
    if (found) yield [index + 1, found[1]];
    if (strings && !/^\s*#include/.test(line))
      for (const [, content] of line.matchAll(/"((?:[^"\\]|\\.)*)"/g)) if (/[a-z] [a-z]/i.test(content) && !/^\s*(select|insert|update|delete|create|alter|with|from|where|join|on|and|or) /i.test(content)) yield [index + 1, content];
  }
}

const kinds = [
  [/^(schemas\/openapi|deploy\/prometheus\/alerts)\.yaml$/, (text) => text.split('\n').map((line, index) => [index + 1, line])],
  [/\.md$/, markdown],
  [/\.(cpp|hpp|js)$/, (text) => commentsAndStrings(text, /(?:^|\s)\/\/ (.*)$/, true)],
  [/\.mjs$/, (text) => commentsAndStrings(text, /(?:^|\s)\/\/ (.*)$/, false)],
  [/\.(ya?ml|py|bash|sh|env)$|CMakeLists\.txt$|\.cmake$|Makefile$/, (text) => commentsAndStrings(text, /(?:^|\s)# (.*)$/, false)],
  [/\.sql$/, (text) => commentsAndStrings(text, /(?:^|\s)-- (.*)$/, false)],
];
const shell = (text) => commentsAndStrings(text, /(?:^|\s)# (.*)$/, false);
const isShell = (file, text) => !/\.\w+$/.test(file) && /^#!.*\b(ba)?sh\b/.test(text);

// Names of tests: the first argument of test(), TEST_CASE and SUBCASE.
function* testNames(text) {
  for (const { 2: name, index } of text.matchAll(/\b(?:test|TEST_CASE|SUBCASE)\(\s*(["'`])((?:(?!\1).)*)\1/g))
    yield [text.slice(0, index).split('\n').length, name];
}

const mostOfName = 90;

export function plainWords(files, read, fault) {
  for (const file of files) {
    if (/(^|\/)(package-lock|seeds\/|fixtures\/)|^tests\/tidy\/words|\.svg$|^LICENSE/.test(file)) continue;
    const kind = kinds.find(([pattern]) => pattern.test(file))?.[1];
    if (!kind && /\.\w+$/.test(file)) continue;
    const text = read(file);
    const texts = kind ? [...kind(text)] : isShell(file, text) ? [...shell(text)] : [];
    if (/^tests\/.*\.(cpp|mjs)$/.test(file)) {
      for (const [line, name] of testNames(text)) {
        texts.push([line, name]);
        const characters = name.replace(/\$\{.*?\}/g, '').length; // without the values of a template
        if (characters > mostOfName) fault(`${file}:${line} has a test name of ${characters} characters; at most ${mostOfName}`);
      }
    }
    const seen = new Set();
    for (const [line, prose] of texts)
      for (const [word, instead] of words) {
        const [hit] = word.exec(prose) ?? [];
        if (!hit || seen.has(`${line} ${hit}`)) continue;
        seen.add(`${line} ${hit}`);
        fault(`${file}:${line} has "${hit}"; write: ${instead}`);
      }
  }
}
