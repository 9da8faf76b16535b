import type { FeedbackEvent } from '../feedback/port.ts';
import { decodeId } from '../message.ts';
import type { Received, Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';

/** Tells of providers that track mail which the relay tracks itself: each once for opens, and once for clicks. */
export interface DoubleTracking {
  note(event: FeedbackEvent, received: Received): void;
}

/** What is looked up of the mails behind events that come before one is told of. */
const LOOKS = 1000;

/**
 * Looks at the opens and clicks that providers tell. Some switch their own tracking by the account alone, and only what comes
 * back shows how it stands there.
 */
export function createDoubleTracking(store: Pick<Store, 'log'>, log: HostApi['log']): DoubleTracking {
  const told = new Set<string>();
  let left = LOOKS;

  async function isTracked(id: string, type: 'opened' | 'clicked'): Promise<boolean> {
    const deliveryId = decodeId('dlv', id);
    const delivery = deliveryId === undefined ? undefined : await store.log.delivery(deliveryId);
    const content = delivery && (await store.log.content(delivery.messageId));
    const which = type === 'opened' ? 'opens' : 'clicks';
    return delivery?.tracking?.[which] ?? content?.tracking[which] ?? false;
  }

  return {
    note({ type, source }, { deliveryId }) {
      const key = `${source} ${type}`;
      if ((type !== 'opened' && type !== 'clicked') || deliveryId === undefined || told.has(key) || left === 0) return;
      left -= 1;
      const tell = (tracked: boolean): void => {
        if (!tracked || told.has(key)) return;
        told.add(key);
        const what = type === 'opened' ? 'opens' : 'clicks';
        log(
          'warn',
          { provider: source, type },
          `the provider tracks ${what} of mail whose ${what} the relay tracks: switch that off in one of them, or they count twice`,
        );
      };
      // What cannot be looked up is not told of.
      isTracked(deliveryId, type).then(tell, () => {});
    },
  };
}
