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

/**
 * Whether the signed fields have the form that SNS gives them: text, all but the message in one line. What is signed is one text
 * without marks between the fields, so that a message of somebody else's topic could else be read as one of ours, signature and all.
 */
function isWellFormed(envelope: Fields): boolean {
  const names = SIGNED[textOf(envelope.Type) ?? ''] ?? [];
  return names.every((name) => {
    const value = envelope[name];
    if (name === 'Subject' && (value === undefined || value === null)) return true;
    return typeof value === 'string' && (name === 'Message' || !/[\r\n]/.test(value));
  });
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
  const kept = new Map<string, { readonly certificate: Promise<X509Certificate>; until: number; isGood: boolean }>();

  /** Whoever knows a topic can name any number of certificates that do not exist: they must not drive out a good one. */
  function forgetOne(): void {
    const urls = [...kept.keys()];
    const bad = urls.slice(0, -1).find((url) => kept.get(url)?.isGood === false);
    const oldest = bad ?? urls[0];
    if (oldest !== undefined) kept.delete(oldest);
  }

  function certificateOf(url: string, tools: HookTools): Promise<X509Certificate> {
    const known = kept.get(url);
    if (known !== undefined && known.until > tools.now) return known.certificate;
    const certificate = tools.get(url).then((pem) => new X509Certificate(pem));
    const entry = { certificate, until: tools.now + KEPT_MS, isGood: false };
    certificate.then(
      () => {
        entry.isGood = true;
      },
      () => {
        entry.until = tools.now + KEPT_FAILED_MS;
      },
    );
    kept.delete(url);
    kept.set(url, entry);
    if (kept.size > CACHED) forgetOne();
    return certificate;
  }

  return {
    async isSigned(envelope, tools) {
      if (!isWellFormed(envelope)) return false;
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
