import type { Composer } from '../compose/port.ts';
import { isMailRelayError } from '../errors.ts';
import { decodeId } from '../message.ts';
import type { DeliveryRecord, Store } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';

/** Messages and deliveries as operators see them: with the subject that a template gave them. */
export function createRecords(context: {
  readonly store: Pick<Store, 'log'>;
  readonly composer: Composer;
}): Pick<EngineApi, 'get' | 'list'> {
  const { store, composer } = context;

  async function withSubject(record: DeliveryRecord): Promise<DeliveryRecord> {
    if (record.subject !== undefined) return record;
    try {
      const delivery = await store.log.delivery(decodeId('dlv', record.id) ?? 0);
      const content = delivery && (await store.log.content(delivery.messageId));
      return content === undefined ? record : { ...record, subject: await composer.subject(content, delivery) };
    } catch (error) {
      // One damaged row does not hide the others.
      if (isMailRelayError(error) && error.code === 'STORE_CORRUPT') return record;
      throw error;
    }
  }

  return {
    async get(id) {
      const record = await store.log.get(id);
      if (record === undefined || record.subject !== undefined) return record;
      const deliveries = await Promise.all(record.deliveries.map(withSubject));
      const [first, ...more] = deliveries;
      if (first !== undefined && more.length === 0) return { ...record, deliveries, subject: first.subject };
      const content = await store.log.content(decodeId('msg', record.id) ?? 0);
      return { ...record, deliveries, subject: content && (await composer.subject(content, undefined)) };
    },
    async list(query) {
      const page = await store.log.list(query);
      return { ...page, items: await Promise.all(page.items.map(withSubject)) };
    },
  };
}
