import { describe, expect, it } from 'vitest';
import { parseRates } from '../../../../packages/core/src/rate.ts';
import { RECEIVERS } from '../../../../packages/core/src/route/sites/receivers.ts';
import { createRollUp, type MxHost } from '../../../../packages/core/src/route/sites/roll-up.ts';

const rollUp = createRollUp(RECEIVERS);

/** MX hosts as the receivers name them, the best first. */
const SETS: readonly (readonly [site: string, ...hosts: string[]])[] = [
  ['google', 'gmail-smtp-in.l.google.com', 'alt1.gmail-smtp-in.l.google.com'],
  ['google', 'aspmx.l.google.com', 'aspmx2.googlemail.com'],
  ['google', 'smtp.google.com'],
  ['outlook', 'outlook-com.olc.protection.outlook.com'],
  ['outlook', 'hotmail-com.olc.protection.outlook.com'],
  ['microsoft-365', 'example-com.mail.protection.outlook.com'],
  ['microsoft-365', 'example-com.a-v1.mx.microsoft'],
  ['yahoo', 'mta5.am0.yahoodns.net', 'mta6.am0.yahoodns.net'],
  ['yahoo', 'mx-aol.mail.gm0.yahoodns.net'],
  ['apple', 'mx01.mail.icloud.com'],
  ['orange', 'smtp-in.orange.fr'],
  ['free', 'mx1.free.fr', 'mx2.free.fr'],
  ['sfr', 'smtp-in.sfr.fr'],
  ['laposte', 'smtp4.laposte.net'],
  ['gmx', 'mx00.emig.gmx.net'],
  ['gmx', 'mx-ha02.web.de'],
  ['mail.ru', 'mxs.mail.ru'],
  ['yandex', 'mx.yandex.ru'],
  ['proton', 'mail.protonmail.ch', 'mailsec.protonmail.ch'],
  ['comcast', 'mx2h1.comcast.net'],
  ['bouygues', 'mx.bbox.fr'],
  ['t-online', 'mx00.t-online.de', 'mx01.t-online.de'],
  ['ionos', 'mx00.kundenserver.de', 'mx01.kundenserver.de'],
  ['ionos', 'mx00.ionos.fr', 'mx01.ionos.fr'],
  ['att', 'al-ip4-mx-vip1.prodigy.net'],
  ['zoho', 'mx.zoho.eu', 'mx2.zoho.eu'],
  ['ovh', 'mx1.mail.ovh.net', 'mx2.mail.ovh.net'],
  ['libero', 'smtp-in.libero.it'],
  ['seznam', 'mx1.seznam.cz'],
  ['qq', 'mx3.qq.com', 'mx2.qq.com'],
  ['netease', '163mx01.mxmail.netease.com'],
  ['naver', 'mx1.naver.com'],
  ['mimecast', 'eu-smtp-inbound-1.mimecast.com'],
  ['example.org', 'mx1.example.org', 'mx2.example.org'],
  ['example.co.uk', 'mail.example.co.uk'],
  ['example.fr', 'mail.example.fr'],
  ['notgoogle.com', 'mx.notgoogle.com'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  // Who filters for others is the host that is tried first, whatever stands behind it.
  ['proofpoint', 'mx0a-1.pphosted.com', 'aspmx.l.google.com'],
  // Names are registered below those that are open to everybody, of countries and of companies.
  ['elm.kent.sch.uk', 'mx1.elm.kent.sch.uk'],
  ['city.lg.jp', 'mail.city.lg.jp'],
  ['amt.gv.at', 'mx.amt.gv.at'],
  ['tribunal.jus.br', 'mx.tribunal.jus.br'],
  ['council.govt.nz', 'mx.council.govt.nz'],
  ['shop.uk.com', 'mail.shop.uk.com'],
  ['town.ca.us', 'mx.town.ca.us'],
  ['me.dyndns.org', 'mx.me.dyndns.org'],
  ['ec2-192-0-2-1.eu-west-3.compute.amazonaws.com', 'ec2-192-0-2-1.eu-west-3.compute.amazonaws.com'],
  ['ec2-192-0-2-1.compute-1.amazonaws.com', 'ec2-192-0-2-1.compute-1.amazonaws.com'],
  // What is open to everybody, and what the list does not know.
  ['uk.com', 'uk.com'],
  ['localhost', 'localhost'],
  ['acme.internal', 'mx1.acme.internal'],
  ['', ''],
];

const inOrder = (hosts: readonly string[]): MxHost[] => hosts.map((name, preference) => ({ name, preference }));
const equal = (...hosts: readonly string[]): MxHost[] => hosts.map((name) => ({ name, preference: 10 }));

describe('sites', () => {
  it.each(SETS)('%s: %s', (site, ...hosts) => {
    expect(rollUp.ofHosts(inOrder(hosts))).toBe(site);
  });

  it.each<[site: string, ...hosts: string[]]>([
    ['alpha.test', 'a.zulu.test', 'mx2.alpha.test', 'mx1.alpha.test'],
    ['google', 'mx.alpha.test', 'aspmx.l.google.com'],
    ['google', 'mta5.am0.yahoodns.net', 'aspmx.l.google.com'],
    ['192.0.2.1', 'mx.alpha.test', '192.0.2.1'],
  ])('%s: the same in any order of equal hosts: %s, %s', (site, ...hosts) => {
    const worse = { name: 'mx.aaa.test', preference: 20 };
    for (const set of [equal(...hosts), equal(...hosts.toReversed())])
      for (const all of [
        [...set, worse],
        [worse, ...set],
      ])
        expect(rollUp.ofHosts(all)).toBe(site);
  });

  it('of all receivers of the data are among these', () => {
    const tried = new Set(SETS.map(([site]) => site));
    expect(RECEIVERS.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  });

  it('are known by the domain of large receivers, and of no other', () => {
    const domains = ['gmail.com', 'hotmail.fr', 'wanadoo.fr', 'me.com', 'web.de', 'yahoo.co.uk', 'example.org'];
    expect(domains.map(rollUp.ofDomain)).toEqual(['google', 'outlook', 'orange', 'apple', 'gmx', 'yahoo', undefined]);
  });

  it('are told apart: no name, domain or host end stands twice, and every limit can be read', () => {
    for (const list of [
      RECEIVERS.map(({ name }) => name),
      RECEIVERS.flatMap(({ domains }) => domains),
      RECEIVERS.flatMap(({ mx }) => mx),
    ])
      expect(list.length).toBe(new Set(list).size);
    for (const { name, mx, connections = 1, messagesPerConnection = 1, rate } of RECEIVERS) {
      expect(mx.length, name).toBeGreaterThan(0);
      expect(Math.min(connections, messagesPerConnection), name).toBeGreaterThan(0);
      expect(() => parseRates(rate), name).not.toThrow();
    }
  });
});
