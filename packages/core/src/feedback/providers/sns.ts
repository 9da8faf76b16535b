import { verify, X509Certificate } from 'node:crypto';
import type { HookTools } from './provider.ts';
import { type Fields, fieldsOf, textOf } from './values.ts';

/** Fields that are signed, in this order: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
const SIGNED: Readonly<Record<string, readonly string[]>> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};
const HOST = /^sns\.[a-z0-9-]{2,40}\.amazonaws\.com(?:\.cn)?$/;

/** Certificates that are kept, and how long, ms; one that cannot be had is asked for again sooner. */
const CACHED = 16;
const KEPT_MS = 86_400_000;
const KEPT_FAILED_MS = 60_000;

/** The URL, where it leads to SNS itself; undefined for all others. */
export function snsUrl(value: unknown): URL | undefined {
  const text = textOf(value);
  if (text === undefined || text.length > 2000 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === '';
  return plain && HOST.test(url.hostname) ? url : undefined;
}

/** A message of SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
export function envelopeOf(body: unknown): Fields | undefined {
  const fields = fieldsOf(body);
  return fields !== undefined && Object.hasOwn(SIGNED, textOf(fields.Type) ?? '') ? fields : undefined;
}

/** Certificates that SNS signs with, got from Amazon only. */
export interface SnsCertificates {
  /** Whether a message is signed with one of them. Throws where the certificate cannot be had. */
  isSigned(envelope: Fields, tools: HookTools): Promise<boolean>;
}

/** Keeps the certificates that it got. */
export function createSnsCertificates(): SnsCertificates {
  const kept = new Map<string, { readonly certificate: Promise<X509Certificate>; until: number }>();

  function certificateOf(url: string, tools: HookTools): Promise<X509Certificate> {
    const known = kept.get(url);
    if (known !== undefined && known.until > tools.now) return known.certificate;
    const certificate = tools.get(url).then((pem) => new X509Certificate(pem));
    const entry = { certificate, until: tools.now + KEPT_MS };
    certificate.catch(() => {
      entry.until = tools.now + KEPT_FAILED_MS;
    });
    kept.delete(url);
    kept.set(url, entry);
    const [oldest] = kept.keys();
    if (kept.size > CACHED && oldest !== undefined) kept.delete(oldest);
    return certificate;
  }

  return {
    async isSigned(envelope, tools) {
      const algorithm = { '1': 'sha1', '2': 'sha256' }[textOf(envelope.SignatureVersion) ?? ''];
      const url = snsUrl(envelope.SigningCertURL ?? envelope.SigningCertUrl);
      const signature = textOf(envelope.Signature);
      if (algorithm === undefined || url === undefined || signature === undefined) return false;
      if (!url.pathname.endsWith('.pem') || url.search !== '' || url.hash !== '') return false;
      const certificate = await certificateOf(url.href, tools);
      const now = tools.now;
      if (Date.parse(certificate.validFrom) > now || Date.parse(certificate.validTo) < now) return false;
      if (certificate.publicKey.asymmetricKeyType !== 'rsa') return false;
      return verify(
        algorithm,
        Buffer.from(signedText(envelope)),
        certificate.publicKey,
        Buffer.from(signature, 'base64'),
      );
    },
  };
}

function signedText(envelope: Fields): string {
  const names = SIGNED[textOf(envelope.Type) ?? ''] ?? [];
  return names
    .filter((name) => typeof envelope[name] === 'string')
    .map((name) => `${name}\n${envelope[name] as string}\n`)
    .join('');
}
