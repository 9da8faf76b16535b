import type { Migration } from 'kysely/migration';
import { endpoints } from './endpoints.ts';
import { feedback } from './feedback.ts';
import { firstDays } from './first-days.ts';
import { initial } from './initial.ts';
import { journal } from './journal.ts';
import { notices } from './notices.ts';
import { phrases } from './phrases.ts';
import { reports } from './reports.ts';
import { sites } from './sites.ts';
import { subscriptions } from './subscriptions.ts';

/** Every version of the schema by its name, in order. One that was published is never changed. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-feedback': feedback,
  '0003-sites': sites,
  '0004-subscriptions': subscriptions,
  '0005-reports': reports,
  '0006-notices': notices,
  '0007-first-days': firstDays,
  '0008-endpoints': endpoints,
  '0009-journal': journal,
  '0010-phrases': phrases,
};
