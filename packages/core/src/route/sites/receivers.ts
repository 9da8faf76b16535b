/** The large receivers as data: how they are recognised, and what they take from a sender that they know little of. */
import type { SiteLimits } from '../../shaping-options.ts';

/** One large receiver. */
export interface Receiver extends SiteLimits {
  /** Name of its site. */
  readonly name: string;
  /** Ends of the names of its MX hosts, in whole labels. */
  readonly mx: readonly string[];
  /** Domains of its mailboxes, where no MX is looked up. */
  readonly domains: readonly string[];
}

/** `name` in each of some top-level domains. */
const under = (name: string, ...ends: readonly string[]): string[] => ends.map((end) => `${name}.${end}`);

/**
 * Where receivers publish what they take, these are within it; the others are starting points on the careful side. Host
 * settings override them by name.
 */
export const RECEIVERS: readonly Receiver[] = [
  {
    name: 'google',
    mx: ['google.com', 'googlemail.com'],
    domains: ['gmail.com', 'googlemail.com'],
    connections: 20,
    messagesPerConnection: 100,
    rate: '40/s',
  },
  {
    // Mailboxes of people; before the entry of companies, whose hosts end alike.
    name: 'outlook',
    mx: ['olc.protection.outlook.com', 'hotmail.com'],
    domains: [
      ...under('outlook', 'com', 'fr', 'de', 'es', 'it', 'be', 'at', 'dk', 'ie', 'pt', 'jp', 'com.br', 'com.au'),
      ...under('hotmail', 'com', 'fr', 'de', 'es', 'it', 'be', 'ch', 'nl', 'se', 'co.uk', 'ca', 'com.br'),
      ...under('live', 'com', 'fr', 'de', 'it', 'be', 'nl', 'se', 'co.uk', 'ca', 'com.au'),
      'msn.com',
    ],
    connections: 10,
    messagesPerConnection: 100,
    rate: '10/s',
  },
  {
    name: 'microsoft-365',
    mx: ['mail.protection.outlook.com', 'mx.microsoft', 'mail.eo.outlook.com'],
    domains: [],
    connections: 20,
    messagesPerConnection: 100,
    rate: '20/s',
  },
  {
    name: 'yahoo',
    mx: ['yahoodns.net', 'mx.aol.com'],
    domains: [
      ...under(
        'yahoo',
        'com',
        'fr',
        'de',
        'es',
        'it',
        'ie',
        'ca',
        'in',
        'co.uk',
        'co.in',
        'com.br',
        'com.mx',
        'com.ar',
      ),
      ...under('aol', 'com', 'fr', 'de', 'it', 'co.uk'),
      ...['ymail.com', 'rocketmail.com', 'myyahoo.com', 'aim.com', 'verizon.net'],
    ],
    connections: 10,
    messagesPerConnection: 20,
    rate: '10/s',
  },
  {
    name: 'apple',
    mx: ['mail.icloud.com'],
    domains: ['icloud.com', 'me.com', 'mac.com'],
    connections: 10,
    messagesPerConnection: 50,
    rate: '10/s',
  },
  {
    name: 'orange',
    mx: ['orange.fr', 'wanadoo.fr'],
    domains: ['orange.fr', 'wanadoo.fr'],
    connections: 2,
    messagesPerConnection: 100,
    rate: '5/s',
  },
  {
    name: 'free',
    mx: ['free.fr', 'proxad.net'],
    domains: ['free.fr', 'aliceadsl.fr', 'libertysurf.fr'],
    connections: 2,
    messagesPerConnection: 50,
    rate: '5/s',
  },
  {
    name: 'sfr',
    mx: ['sfr.fr', 'neuf.fr'],
    domains: ['sfr.fr', 'neuf.fr', 'cegetel.net', 'club-internet.fr', 'numericable.fr', '9online.fr'],
    connections: 3,
    messagesPerConnection: 50,
    rate: '5/s',
  },
  {
    name: 'laposte',
    mx: ['laposte.net'],
    domains: ['laposte.net'],
    connections: 3,
    messagesPerConnection: 50,
    rate: '5/s',
  },
  {
    name: 'bouygues',
    mx: ['bbox.fr'],
    domains: ['bbox.fr'],
    connections: 3,
    messagesPerConnection: 50,
    rate: '5/s',
  },
  {
    name: 'gmx',
    mx: ['gmx.net', 'web.de', 'mail.com'],
    domains: [...under('gmx', 'de', 'net', 'at', 'ch', 'com', 'fr', 'es', 'co.uk'), 'web.de', 'mail.com'],
    connections: 5,
    messagesPerConnection: 50,
    rate: '10/s',
  },
  {
    name: 't-online',
    mx: ['t-online.de'],
    domains: ['t-online.de', 'magenta.de'],
    connections: 5,
    messagesPerConnection: 50,
    rate: '5/s',
  },
  {
    name: 'ionos',
    mx: [...under('ionos', 'com', 'de', 'fr', 'es', 'it', 'co.uk'), 'kundenserver.de', 'perfora.net', '1and1.com'],
    domains: [],
    connections: 5,
    messagesPerConnection: 50,
    rate: '10/s',
  },
  {
    name: 'mail.ru',
    mx: ['mail.ru'],
    domains: ['mail.ru', 'inbox.ru', 'list.ru', 'bk.ru', 'internet.ru'],
    connections: 5,
    messagesPerConnection: 50,
    rate: '10/s',
  },
  {
    name: 'yandex',
    mx: ['yandex.ru', 'yandex.net'],
    domains: [...under('yandex', 'ru', 'com', 'by', 'kz', 'com.tr'), 'ya.ru'],
    connections: 5,
    messagesPerConnection: 50,
    rate: '10/s',
  },
  {
    name: 'proton',
    mx: ['protonmail.ch'],
    domains: ['proton.me', 'protonmail.com', 'protonmail.ch', 'pm.me'],
    connections: 5,
    messagesPerConnection: 50,
    rate: '10/s',
  },
  {
    name: 'comcast',
    mx: ['comcast.net'],
    domains: ['comcast.net'],
    connections: 5,
    messagesPerConnection: 50,
    rate: '10/s',
  },
  {
    name: 'att',
    mx: ['prodigy.net'],
    domains: ['att.net', 'sbcglobal.net', 'bellsouth.net', 'pacbell.net'],
    connections: 5,
    messagesPerConnection: 50,
    rate: '5/s',
  },
  {
    name: 'zoho',
    mx: under('zoho', 'com', 'eu', 'in'),
    domains: ['zohomail.com', 'zohomail.eu'],
    connections: 5,
    messagesPerConnection: 50,
    rate: '10/s',
  },
  { name: 'ovh', mx: ['mail.ovh.net'], domains: [], connections: 5, messagesPerConnection: 50, rate: '10/s' },
  { name: 'libero', mx: ['libero.it'], domains: ['libero.it', 'virgilio.it'], connections: 3, rate: '5/s' },
  { name: 'seznam', mx: ['seznam.cz'], domains: ['seznam.cz', 'email.cz', 'post.cz'], connections: 5, rate: '10/s' },
  { name: 'qq', mx: ['qq.com'], domains: ['qq.com', 'foxmail.com'], connections: 3, rate: '3/s' },
  { name: 'netease', mx: ['netease.com'], domains: ['163.com', '126.com', 'yeah.net'], connections: 3, rate: '3/s' },
  { name: 'naver', mx: ['naver.com'], domains: ['naver.com'], connections: 5, rate: '5/s' },
  { name: 'mimecast', mx: ['mimecast.com'], domains: [], connections: 10, messagesPerConnection: 50 },
  {
    name: 'proofpoint',
    mx: ['pphosted.com', 'ppe-hosted.com'],
    domains: [],
    connections: 10,
    messagesPerConnection: 50,
  },
];
