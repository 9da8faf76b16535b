import { activitySuite } from './activity.ts';
import { alertsSuite } from './alerts.ts';
import type { OpenStore } from './bench.ts';
import { blobsSuite } from './blobs.ts';
import { endpointsSuite } from './endpoints.ts';
import { feedbackSuite } from './feedback.ts';
import { intakeSuite } from './intake.ts';
import { logSuite } from './log.ts';
import { queueSuite } from './queue.ts';
import { subscriptionsSuite } from './subscriptions.ts';
import { suppressionsSuite } from './suppressions.ts';

/** Whatever keeps the relay's state has to pass this. `open` makes an empty store. */
export function storeSuite(name: string, open: OpenStore): void {
  for (const suite of [
    intakeSuite,
    queueSuite,
    logSuite,
    suppressionsSuite,
    activitySuite,
    feedbackSuite,
    blobsSuite,
    subscriptionsSuite,
    endpointsSuite,
    alertsSuite,
  ])
    suite(name, open);
}
