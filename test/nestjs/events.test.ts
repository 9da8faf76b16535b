import type { Alert, EventOf, Logger, Warning } from '@mailrelay/core';
import { MailRelayModule, MailRelayService, OnMailEvent } from '@mailrelay/nestjs';
import { Controller, Injectable, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest';
import { eventually, IN_MEMORY, moduleOf } from './support.ts';

const hello = { to: 'ada@example.com', subject: 'Hello', text: 'Hello' };

async function context(metadata: Parameters<typeof moduleOf>[0], options = {}) {
  const imports = [MailRelayModule.forRoot({ ...IN_MEMORY, ...options }), ...(metadata.imports ?? [])];
  const app = await NestFactory.createApplicationContext(moduleOf({ ...metadata, imports }), {
    logger: false,
    abortOnError: false,
  });
  onTestFinished(() => app.close());
  return app;
}

describe('@OnMailEvent()', () => {
  it('calls methods of providers and controllers with typed events, and knows their instance', async () => {
    @Injectable()
    class Audit {
      readonly seen: string[] = [];
      @OnMailEvent('accepted')
      @OnMailEvent('sent')
      note({ type, recipient }: EventOf<'accepted'> | EventOf<'sent'>) {
        this.seen.push(`${type} ${recipient}`);
      }
    }
    @Controller()
    class Desk {
      readonly types: string[] = [];
      @OnMailEvent('event')
      all(event: { readonly type: string }) {
        this.types.push(event.type);
      }
    }
    const alias = { provide: 'the same audit', useExisting: Audit };
    const app = await context({ providers: [Audit, alias], controllers: [Desk] });
    await app.get(MailRelayService).send(hello);
    await eventually(() => expect(app.get(Audit).seen).toEqual(['accepted ada@example.com', 'sent ada@example.com']));
    expect(app.get(Desk).types).toEqual(['accepted', 'sent']);
  });

  it.each([{}, { subscription: 'ops' }])('calls methods with alerts and warnings, with %j', async (options) => {
    @Injectable()
    class Operator {
      readonly told: string[] = [];
      @OnMailEvent('alert', options)
      alert({ state, kind, stream }: Alert) {
        this.told.push(`${state} ${kind} ${stream}`);
      }
      @OnMailEvent('warning', options)
      warning({ reason, count }: Warning) {
        this.told.push(`${reason} ${count}`);
      }
    }
    const app = await context({ providers: [Operator] }, { alerts: { hardBounces: { minVolume: 1 } } });
    await app.get(MailRelayService).send({ ...hello, to: 'blocked@simulator.example' });
    await eventually(() => expect(app.get(Operator).told).toEqual(['blocked-ip 1']));
    await app.get(MailRelayService).send({ ...hello, to: 'missing@simulator.example' });
    await eventually(() =>
      expect(app.get(Operator).told).toEqual(['blocked-ip 1', 'raised hard-bounce-rate transactional']),
    );
  });

  it('calls what a handler inherits', async () => {
    const seen: string[] = [];
    class Base {
      @OnMailEvent('sent')
      note() {
        seen.push(this.constructor.name);
      }
    }
    @Injectable()
    class Derived extends Base {}
    const app = await context({ providers: [Derived] });
    await app.get(MailRelayService).send(hello);
    await eventually(() => expect(seen).toEqual(['Derived']));
  });

  it('logs what a handler throws, with the place and the mail, and goes on', async () => {
    @Injectable()
    class Broken {
      readonly calls: string[] = [];
      @OnMailEvent('sent')
      async fail({ recipient }: EventOf<'sent'>) {
        this.calls.push(recipient);
        throw new Error('the database is away');
      }
    }
    const error = vi.fn<Logger['error']>();
    const logger: Logger = { debug() {}, info() {}, warn() {}, error };
    const app = await context({ providers: [Broken] }, { logger });
    const relay = app.get(MailRelayService);
    const { deliveries } = await relay.send(hello);
    await eventually(() => expect(error).toHaveBeenCalledTimes(1));
    expect(error.mock.calls[0]).toEqual([
      {
        event: 'sent',
        handler: 'Broken.fail',
        deliveryId: deliveries[0]?.id,
        error: 'the database is away',
        stack: expect.stringContaining('Broken.fail'),
      },
      'a mail event handler failed',
    ]);
    await relay.send({ ...hello, to: 'grace@example.com' });
    await eventually(() => expect(app.get(Broken).calls).toEqual(['ada@example.com', 'grace@example.com']));
  });

  it('hears of the relay that it names', async () => {
    @Injectable()
    class Invoices {
      readonly seen: string[] = [];
      @OnMailEvent('sent', { relay: 'billing' })
      note({ recipient }: EventOf<'sent'>) {
        this.seen.push(recipient);
      }
    }
    const billing = MailRelayModule.forRoot({ ...IN_MEMORY, name: 'billing' });
    const app = await context({ imports: [billing], providers: [Invoices] });
    await app.get(MailRelayService).send(hello);
    await app.get<MailRelayService>('MailRelay:billing').send({ ...hello, to: 'bill@example.com' });
    await eventually(() => expect(app.get(Invoices).seen).toEqual(['bill@example.com']));
  });

  it('stops the start where no event could reach a handler: of a relay that is not there, or in a class made per request', async () => {
    @Injectable()
    class Lost {
      @OnMailEvent('sent', { relay: 'biling' })
      note() {}
    }
    await expect(context({ providers: [Lost] })).rejects.toThrow(/Lost\.note handles mail events of the relay biling/);
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @OnMailEvent('sent')
      note() {}
    }
    await expect(context({ providers: [PerRequest] })).rejects.toThrow(
      /PerRequest\.note .* made anew for each request/,
    );
  });

  it('refuses, as it is compiled, a method that takes another event', () => {
    class Typed {
      @OnMailEvent('bounced')
      right(event: EventOf<'bounced'>) {
        expectTypeOf(event.kind).toEqualTypeOf<'hard' | 'soft'>();
      }
      // @ts-expect-error: a bounce has no URL
      @OnMailEvent('bounced')
      wrong(_event: EventOf<'clicked'>) {}
      // @ts-expect-error: there is no such event
      @OnMailEvent('bounce')
      unknown() {}
    }
    expect(Typed).toBeTypeOf('function');
  });
});

describe('@OnMailEvent() with a subscription', () => {
  it('calls methods of one name as one subscription, and again with what one of them failed with', async () => {
    @Injectable()
    class Crm {
      readonly seen: string[] = [];
      @OnMailEvent('accepted', { subscription: 'crm' })
      first({ recipient }: EventOf<'accepted'>) {
        this.seen.push(`accepted ${recipient}`);
        if (this.seen.length === 1) throw new Error('away');
      }
      @OnMailEvent('sent', { subscription: 'crm' })
      second({ recipient }: EventOf<'sent'>) {
        this.seen.push(`sent ${recipient}`);
      }
    }
    const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
    const app = await context({ providers: [Crm] }, { logger });
    await app.get(MailRelayService).send(hello);
    const { seen } = app.get(Crm);
    await eventually(() =>
      expect(seen).toEqual(['accepted ada@example.com', 'accepted ada@example.com', 'sent ada@example.com']),
    );
    expect(await app.get(MailRelayService).subscriptions.list()).toMatchObject([
      { name: 'crm', types: ['accepted', 'sent'] },
    ]);
  });

  it('refuses errors of the relay, which are not stored', async () => {
    @Injectable()
    class Wrong {
      @OnMailEvent('error', { subscription: 'crm' })
      note() {}
    }
    await expect(context({ providers: [Wrong] })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining('Wrong.note'),
    });
  });
});
