import { expect, it } from 'vitest';
import { checkNodeVersion } from '../../packages/core/src/node-version.ts';

it('an old Node is told which version is needed', () => {
  for (const version of ['22.19.0', '22.20.1', '24.0.0', process.versions.node]) checkNodeVersion(version);
  for (const version of ['18.20.0', '20.20.2', '22.18.9'])
    expect(() => checkNodeVersion(version)).toThrow(
      expect.objectContaining({ code: 'NODE_TOO_OLD', message: expect.stringMatching(`22\\.19.*${version}`) }),
    );
});
