import { generateKeyPairSync } from 'node:crypto';
import { type AnyTemplate, defineTemplate } from '@mailrelay/core';
import type { Size } from './figures.ts';
import { newsletter } from './newsletter.ts';

/** Mails by their size on the wire, roughly. */
export type MailSize = '1 KB' | '10 KB' | '100 KB';

const note = `<p>Hello {{firstName}}, a parcel waits for you in {{city}}. <a href="https://example.com/parcel">Where?</a></p>
<p><a href="{{unsubscribeUrl}}">Unsubscribe</a></p>`;

/** The template that makes mails of a size. */
export const MAILS: Readonly<Record<MailSize, AnyTemplate>> = {
  '1 KB': defineTemplate({ name: 'mail', subject: 'News for {{firstName}}', html: note }),
  '10 KB': defineTemplate({ name: 'mail', subject: 'News for {{firstName}}', mjml: newsletter(1) }),
  '100 KB': defineTemplate({ name: 'mail', subject: 'News for {{firstName}}', mjml: newsletter(20) }),
};

/** The mail of most benchmarks; a tiny run saves the time of compiling MJML. */
export function usualMail(size: Size): MailSize {
  return size === 'full' ? '10 KB' : '1 KB';
}

/** A recipient with values of their own, at one of so many domains. */
export function recipient(index: number, domains?: number): { to: string; data: { firstName: string; city: string } } {
  const domain = domains === undefined ? 'example.com' : `d${index % domains}.test`;
  return { to: `reader${index}@${domain}`, data: { firstName: `Reader ${index}`, city: 'Lyon' } };
}

/** Options that all relays of the benchmark share. */
export const RELAY = {
  publicUrl: 'https://mail.example.com',
  secret: 'a secret for the benchmark',
  from: 'News <news@example.com>',
} as const;

/** Connections of our route and of nodemailer's pool. */
export const CONNECTIONS = 10;
export const MAILS_PER_CONNECTION = 1000;

/** A key that signs mail of the sender's domain with RSA of 2048 bits, PEM. */
export function signingKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}
