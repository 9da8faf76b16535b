import { describe, expect, it } from 'vitest';
import { classifyReply } from '../../../../packages/core/src/deliver/replies.ts';
import { factorOf } from '../../../../packages/core/src/lane-rule.ts';
import type { LaneRule } from '../../../../packages/core/src/queue/port.ts';
import { createAutomation, type Heard } from '../../../../packages/core/src/route/sites/automation.ts';
import { RECEIVERS } from '../../../../packages/core/src/route/sites/receivers.ts';
import { RULES } from '../../../../packages/core/src/route/sites/rules.ts';
import { fakeDns } from '../../../support/dns.ts';
import { smtpServer } from '../../../support/smtp.ts';
import { direct, mailHost, mailTo } from '../../deliver/mx/support.ts';
import { transportTo } from '../../deliver/transports.ts';

const MINUTE = 60_000;

/** What the receivers say, with other addresses, and the rule that counts it. */
const REPLIES: readonly (readonly [rule: string, site: string, reply: string])[] = [
  [
    'google-unusual-rate',
    'google',
    '421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address [192.0.2.5]. To protect our users from spam, mail sent from your IP address has been temporarily rate limited. - gsmtp',
  ],
  [
    'google-unusual-rate',
    'google',
    '550-5.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address. - gsmtp',
  ],
  [
    'google-reputation',
    'google',
    '421-4.7.0 [192.0.2.5 15] Our system has detected that this message is suspicious due to the very low reputation of the sending IP address. - gsmtp',
  ],
  [
    'outlook-blocked',
    'outlook',
    "550 5.7.1 Unfortunately, messages from [192.0.2.5] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors.",
  ],
  [
    'outlook-blocked',
    'outlook',
    "550 5.7.1 Unfortunately, messages from [192.0.2.5] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
  ],
  [
    'outlook-blocked',
    'microsoft-365',
    '550 5.7.606 Access denied, banned sending IP [192.0.2.5]. To request removal from this list please visit https://sender.office.com/',
  ],
  [
    'outlook-reputation',
    'outlook',
    '451 4.7.650 The mail server [192.0.2.5] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775)',
  ],
  [
    'outlook-reputation',
    'outlook',
    "421 RP-001 (BAY004-MC1F42) Unfortunately, some messages from 192.0.2.5 weren't sent. Please try again. We have limits for how many messages can be sent per hour and per day.",
  ],
  ['outlook-busy', 'microsoft-365', '451 4.7.500 Server busy. Please try again later from [192.0.2.5]. (AS77712)'],
  [
    'yahoo-refused',
    'yahoo',
    '553 5.7.2 [TSS09] All messages from 192.0.2.5 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes',
  ],
  [
    'yahoo-refused',
    'yahoo',
    '421 4.7.1 [TS03] All messages from 192.0.2.5 will be permanently deferred; Retrying will NOT succeed.',
  ],
  [
    'yahoo-volume',
    'yahoo',
    '421 4.7.0 [TSS04] Messages from 192.0.2.5 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
  ],
  [
    'orange-connections',
    'orange',
    '421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR004_104 [104]',
  ],
  ['free-spam', 'free', '550 5.7.1 Too many spams from your IP (192.0.2.5), please visit http://postmaster.free.fr/'],
  ['free-spam', 'free', '421 Too many spams from your IP (192.0.2.5), please visit http://postmaster.free.fr/'],
  [
    'laposte-refused',
    'laposte',
    '421 4.0.0 lpn-prd-vrin005 Service refuse. Veuillez essayer plus tard. Service refused, please try later. LPN007_510',
  ],
  [
    'laposte-refused',
    'laposte',
    '550 5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN005_510',
  ],
  [
    'laposte-refused',
    'laposte',
    '550 5.5.0 Les emails envoyes vers la messagerie Laposte.net ont ete bloques par nos services. The emails sent to the mail host Laposte.net were blocked by our services. https://www.spamhaus.org/lookup/ LPNAAA_101',
  ],
  ['sfr-refused', 'sfr', '421 4.7.0 msfrf2208.sfr.fr Error: too many errors from 192.0.2.5'],
  [
    'gmx-blocked',
    'gmx',
    '554-gmx.net (mxgmx009) Nemesis ESMTP Service not available 554-No SMTP service 554-IP address is black listed.',
  ],
  [
    't-online-blocked',
    't-online',
    '554 IP=192.0.2.5 - A problem occurred. (Ask your postmaster for help or to contact tobr@rx.t-online.de to clarify.)',
  ],
  [
    'comcast-throttled',
    'comcast',
    '421 resimta-po-11v.sys.comcast.net resimta-po-11v.sys.comcast.net 192.0.2.5 Throttled - try again later. Please see http://postmaster.comcast.net/smtp-error-codes.php#RL000001',
  ],
  [
    'apple-throttled',
    'apple',
    '450 4.7.1 [CS01] Message temporarily deferred due to local policy. Please visit https://support.apple.com/en-us/HT204137',
  ],
  ['mail.ru-limit', 'mail.ru', '451 Ratelimit exceeded for 192.0.2.5. Try again later.'],
  ['too-many-connections', 'example.com', '421 4.7.0 mx.example.com Error: too many connections from 192.0.2.5'],
  ['rate-limited', 'example.com', '421 4.7.28 This sender is sending at an excessive rate'],
  ['rate-limited', 'example.com', '451 4.7.1 Rate limit exceeded, try again in 10 minutes'],
  ['rate-limited', 'example.com', '421 4.7.0 Too many messages, try again in 300 seconds'],
  ['blocked', 'example.com', '450 4.7.1 Service unavailable; Client host [192.0.2.5] blocked using zen.spamhaus.org'],
  ['blocked', 'example.com', '451 Your IP 192.0.2.5 is blacklisted'],
  ['blocked', 'example.com', '554 5.7.1 Service unavailable; Client host [192.0.2.5] blocked using zen.spamhaus.org'],
];

function heard(reply: string, over: Partial<Heard> = {}): Heard {
  const { reason } = classifyReply(reply, 'MAIL');
  return {
    route: 'mx',
    site: 'example.com',
    reply,
    reason,
    own: false,
    startedAt: 0,
    localAddress: undefined,
    addresses: [],
    ...over,
  };
}

/** The rule that acts after so many replies, a second apart. */
function hearTimes(n: number, one: Heard, rules = RULES): LaneRule | undefined {
  const automation = createAutomation(rules);
  const made = Array.from({ length: n }, (_, index) => automation.hear(one, undefined, 1000 * (index + 1)));
  expect(made.slice(0, -1).every((rule) => rule === undefined)).toBe(true);
  return made.at(-1);
}

describe('rules of the data', () => {
  it.each(REPLIES)('%s acts at %s after so many replies as it says, and no sooner', (name, site, reply) => {
    const { times = 1 } = RULES.find((rule) => rule.name === name) ?? {};
    expect(hearTimes(times, heard(reply, { site }))).toMatchObject({ name, reply, since: 1000 * times });
  });

  it('each have a real reply, a name of their own, and sites that are known', () => {
    expect([...new Set(REPLIES.map(([name]) => name))].sort()).toEqual(RULES.map(({ name }) => name).sort());
    const known = RECEIVERS.map(({ name }) => name);
    expect(RULES.flatMap(({ site }) => site ?? []).filter((site) => !known.includes(site))).toEqual([]);
  });

  it('that stop our address find the fault with the route in what is said for good, so that another may take the mail', () => {
    const stops = RULES.filter(({ action }) => action !== 'slow').map(({ name }) => name);
    const final = REPLIES.filter(([name, , reply]) => stops.includes(name) && reply.startsWith('5'));
    expect(final.length).toBeGreaterThan(8);
    for (const [, , reply] of final)
      for (const step of ['MAIL', 'RCPT', 'DATA', 'MESSAGE'])
        expect(classifyReply(reply, step)).toMatchObject({ reply, fault: 'refused', suppress: false });
  });

  it('are never triggered by what is not a reply of a server', () => {
    const own = [
      'the queue failed',
      'withdrawn',
      'connect ETIMEDOUT',
      'the mail servers of one.test do not answer',
      'too many connections',
    ];
    for (const reply of own)
      for (const reason of ['network', 'timeout', 'system', 'rate-limited', 'blocked-ip', 'dns'] as const)
        expect(hearTimes(20, heard(reply, { reason }))).toBeUndefined();
  });

  it('are never triggered by what the relay itself refuses, whatever it says', async () => {
    const { port, taken } = await mailHost('127.0.0.2', 0, { size: 1000, hideSMTPUTF8: true });
    const transport = direct(await fakeDns({ 'a.test': { A: ['127.0.0.2'] } }), port);
    const utf8 = { from: 'app@sender.test', to: 'zoé@a.test', utf8: true, eightBit: true };
    const broken = { from: 'app@sender.test', to: 'x\r\n@a.test', utf8: false, eightBit: false };
    const mails = [{ raw: Buffer.alloc(2000, 'x') }, { envelope: utf8 }, { envelope: broken }];
    const attempts = await Promise.all(mails.map((more) => transport.send(mailTo('x@a.test', more))));
    const unsafe = await smtpServer({});
    const demanding = mailTo('x@a.test', { envelope: { ...utf8, utf8: false, to: 'x@a.test', requireTls: true } });
    attempts.push(await transportTo(unsafe.port).send(demanding));
    const any = { name: 'any', reply: /./, action: 'suspend', forMs: MINUTE } as const;
    for (const { outcome } of attempts) {
      if (outcome.type !== 'bounced') throw new Error(`${outcome.type} is no refusal`);
      const { reply, reason, own = false } = outcome;
      expect(reply).toMatch(/^55\d 5\./);
      expect(hearTimes(20, heard(reply, { reason, own }), [any])).toBeUndefined();
      // What a server says in the same words does.
      expect(hearTimes(1, heard(reply, { reason }), [any])).toMatchObject({ name: 'any' });
    }
    expect(attempts).toHaveLength(4);
    expect(taken).toEqual([]);
  });

  it('leave alone what says nothing about our traffic', () => {
    for (const reply of [
      '550 5.1.1 User unknown',
      '452 4.2.2 Mailbox full',
      '450 4.2.0 Greylisted, try again in 300 seconds',
      '550 5.5.0 Le compte du destinataire est bloque. The recipient account isblocked. LPN007_426',
      '501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]',
    ])
      for (const { name } of RECEIVERS) expect(hearTimes(20, heard(reply, { site: name }))).toBeUndefined();
  });
});

describe('a rule', () => {
  const slow = {
    name: 'slow',
    reply: /busy/,
    times: 2,
    withinMs: MINUTE,
    action: 'slow',
    factor: 0.25,
    forMs: 4 * MINUTE,
    recoverStepMs: MINUTE,
  } as const;

  it('counts only within its time, and each site for itself', () => {
    const automation = createAutomation([slow]);
    expect(automation.hear(heard('451 busy'), undefined, 0)).toBeUndefined();
    expect(automation.hear(heard('451 busy', { site: 'other.com' }), undefined, 1)).toBeUndefined();
    expect(automation.hear(heard('451 busy'), undefined, MINUTE)).toBeUndefined();
    expect(automation.hear(heard('451 busy'), undefined, MINUTE + 1)).toMatchObject({ name: 'slow', factor: 0.25 });
  });

  it('forgets what it has counted when that is too old, site by site', () => {
    const automation = createAutomation([slow]);
    const say = (site: string, at: number) => automation.hear(heard('451 busy', { site }), undefined, at);
    for (let index = 0; index < 1000; index++) say(`s${index}.test`, index * 30);
    expect(automation.counting).toBe(1000);
    say('late.test', MINUTE + 600);
    // Those of the last minute are kept, and still count.
    expect(automation.counting).toBe(980);
    expect(say('s999.test', MINUTE + 700)).toMatchObject({ name: 'slow' });
    say('later.test', 10 * MINUTE);
    expect(automation.counting).toBe(1);
    // After the clock was set back, too.
    say('early.test', MINUTE);
    expect(automation.counting).toBe(1);
  });

  it('slows down, and recovers in steps', () => {
    const rule = hearTimes(2, heard('451 busy'), [slow]) as LaneRule;
    const end = 2000 + 4 * MINUTE;
    expect(rule.until).toBe(end);
    const at = [2000, end - 1, end, end + MINUTE - 1, end + MINUTE, end + 2 * MINUTE];
    expect(at.map((now) => factorOf(rule, now))).toEqual([0.25, 0.25, 0.5, 0.5, 1, 1]);
    // A clock that was set back.
    expect(factorOf(rule, 0)).toBe(1);
  });

  it('suspends, and begins again with a quarter', () => {
    const stop = { name: 'stop', reply: /busy/, action: 'suspend', forMs: 40 * MINUTE } as const;
    const rule = hearTimes(1, heard('421 busy'), [stop]) as LaneRule;
    const end = 1000 + 40 * MINUTE;
    const at = [1000, end - 1, end, end + 10 * MINUTE, end + 20 * MINUTE];
    expect(at.map((now) => factorOf(rule, now))).toEqual([0, 0, 0.25, 0.5, 1]);
  });

  it('slows down further where that was not enough, but does not listen to mail that was on its way before', () => {
    const automation = createAutomation([{ ...slow, times: 1 }]);
    const first = automation.hear(heard('451 busy'), undefined, 1000) as LaneRule;
    expect(automation.hear(heard('451 busy', { startedAt: 1000 }), first, 1500)).toBeUndefined();
    expect(automation.hear(heard('451 busy', { startedAt: 1001 }), first, 1500)).toMatchObject({ factor: 0.0625 });
  });

  it('moves to another address as long as there is one, and then suspends', () => {
    const automation = createAutomation([{ name: 'move', reason: 'blocked-ip', action: 'move', forMs: MINUTE }]);
    const reply = '554 5.7.1 blocked using zen.spamhaus.org';
    const addresses = ['192.0.2.1', '192.0.2.2'];
    const from = (localAddress: string, startedAt: number) => heard(reply, { localAddress, addresses, startedAt });
    const one = automation.hear(from('192.0.2.1', 0), undefined, 1000) as LaneRule;
    expect(one).toMatchObject({ factor: 1, avoided: [{ address: '192.0.2.1', until: 1000 + MINUTE }] });
    expect(automation.hear(from('192.0.2.2', 1001), one, 2000)).toMatchObject({ factor: 0 });
    // The first address is free again.
    expect(automation.hear(from('192.0.2.2', 1001), one, 2000 + MINUTE)).toMatchObject({ factor: 1 });
    expect(automation.hear(heard(reply), undefined, 0)).toMatchObject({ factor: 0 });
  });
});
