import { spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { dkimVerify } from 'mailauth';

/** Made once: a key of 2048 bits takes its time. */
export const RSA: KeyObject = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
export const OTHER_RSA: KeyObject = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
export const ED25519: KeyObject = generateKeyPairSync('ed25519').privateKey;

export function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** TXT records by name. */
export type Zone = Readonly<Record<string, string>>;

/** The record of a key, written here by hand and not by what is tested. */
export function recordOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const ed25519 = key.asymmetricKeyType === 'ed25519';
  return `v=DKIM1; k=${key.asymmetricKeyType}; p=${(ed25519 ? der.subarray(-32) : der).toString('base64')}`;
}

/** What mailauth says of the signatures of a mail, top down: `pass a=… s=…`. */
export async function verdicts(source: Buffer | string, zone: Zone): Promise<string[]> {
  const { results } = await dkimVerify(Buffer.from(source), {
    strict: true,
    resolver: async (name, type) => {
      const record = zone[name];
      if (type !== 'TXT' || record === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
      return [[record]];
    },
  } as Parameters<typeof dkimVerify>[1]);
  return results.map(({ status, algo, selector, signingDomain }) => {
    const comment = !status.comment ? '' : ` (${status.comment})`;
    return `${status.result} ${algo} ${selector}.${signingDomain}${comment}`;
  });
}

const PYTHON = '/usr/bin/python3';
const SCRIPT = `
import sys, json, dkim
zone = json.loads(sys.argv[1])
find = lambda name, timeout=5: zone.get(name.decode().rstrip('.'), '').encode() or None
mail = dkim.DKIM(sys.stdin.buffer.read())
count = sum(1 for name, _ in mail.headers if name.lower() == b'dkim-signature')
def verify(index):
    try:
        return mail.verify(idx=index, dnsfunc=find)
    except dkim.ValidationError:
        return False
print(json.dumps([verify(index) for index in range(count)]))
`;

/** Whether Debian's python3-dkim is here, which not every machine has. */
export const hasDkimpy: boolean = spawnSync(PYTHON, ['-c', 'import dkim, nacl'], { stdio: 'ignore' }).status === 0;

/** What dkimpy says of each signature. */
export function dkimpyVerdicts(source: Buffer | string, zone: Zone): boolean[] {
  const { stdout, stderr } = spawnSync(PYTHON, ['-c', SCRIPT, JSON.stringify(zone)], { input: source });
  if (stdout.length === 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString()) as boolean[];
}
