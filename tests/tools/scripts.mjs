// The scripts that start real servers, for the tests that need servers of their own.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const run = promisify(execFile);
const script = (file) => async (...args) => (await run(path.join(repository, file), args, { maxBuffer: 1 << 24 })).stdout.trim();

export const kafkaServer = script('tests/tools/kafka');
export const postgresServer = script('deploy/local/postgres');
