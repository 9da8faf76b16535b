import { generateKeyPairSync, sign } from 'node:crypto';

/** Keys with the algorithm of the signature: ecdsa-with-SHA256, sha256WithRSAEncryption. */
const KEYS = {
  ec: () => ({ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }), oid: '06082a8648ce3d040302' }),
  rsa: () => ({ ...generateKeyPairSync('rsa', { modulusLength: 2048 }), oid: '06092a864886f70d01010b0500' }),
} as const;

/** A certificate for localhost, or other names, that vouches for itself, for a day; made here, so that no key is kept. */
export function localhostCertificate(
  hosts: readonly string[] = ['localhost'],
  kind: keyof typeof KEYS = 'ec',
): {
  readonly cert: string;
  readonly key: string;
} {
  const { publicKey, privateKey, oid } = KEYS[kind]();
  const algorithm = sequence(Buffer.from(oid, 'hex'));
  const commonName = sequence(Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('localhost')));
  const name = sequence(der(0x31, commonName));
  const day = 86_400_000;
  const extensions = der(0xa3, sequence(alternativeNames(hosts), authority()));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    algorithm,
    name,
    sequence(time(Date.now() - day), time(Date.now() + day)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', body, privateKey));
  const cert = sequence(body, algorithm, signature)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${cert}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** subjectAltName: the names and 127.0.0.1. */
function alternativeNames(hosts: readonly string[]): Buffer {
  const names = sequence(...hosts.map((host) => der(0x82, Buffer.from(host))), der(0x87, Buffer.of(127, 0, 0, 1)));
  return sequence(Buffer.from('0603551d11', 'hex'), der(0x04, names));
}

/** basicConstraints, critical: it may vouch for certificates. */
function authority(): Buffer {
  const yes = Buffer.from('0101ff', 'hex');
  return sequence(Buffer.from('0603551d13', 'hex'), yes, der(0x04, sequence(yes)));
}

function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** A value in DER (ITU-T X.690). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
