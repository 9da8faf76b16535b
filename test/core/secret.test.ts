import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { signingSecrets } from '../../packages/core/src/secret.ts';
import { scratchFolder } from '../support/relay.ts';

it('the folder of a secret that development makes stays out of repositories, where the relay has made it', () => {
  const root = scratchFolder();
  const secrets = (folder: string): readonly string[] =>
    signingSecrets({ secrets: [], store: { kind: 'sqlite', path: join(root, folder, 'relay.db') } });
  expect(secrets('.mail-relay')).toEqual(secrets('.mail-relay'));
  expect(readFileSync(join(root, '.mail-relay/.gitignore'), 'utf8')).toBe('*\n');
  mkdirSync(join(root, 'data'));
  secrets('data');
  expect(readdirSync(join(root, 'data'))).toEqual(['development-secret']);
});
