import { startOf } from '../report-scale.ts';
import type { WaitCount } from '../store/port.ts';
import type { DeferralReport } from './port.ts';

/** How long deferred mail waited, out of the counts by step. */
export function deferralReport(
  { from, to }: { readonly from: number; readonly to: number },
  waits: readonly WaitCount[],
): DeferralReport {
  const sum = (how: 'sent' | 'lost'): number => waits.reduce((total, wait) => total + wait[how], 0);
  const [sent, lost] = [sum('sent'), sum('lost')];
  const at = (share: number): number => percentile(waits, share * (sent + lost));
  return {
    from: new Date(from),
    to: new Date(to),
    count: sent + lost,
    sent,
    lost,
    percentiles:
      sent + lost === 0 ? undefined : { p50: at(0.5), p75: at(0.75), p90: at(0.9), p95: at(0.95), p99: at(0.99) },
    histogram: waits.map(({ step, ...counts }) => ({ fromMs: startOf(step), toMs: startOf(step + 1), ...counts })),
  };
}

/** Where the mail with this rank lies, as if those of a step were spread over it evenly. */
function percentile(waits: readonly WaitCount[], rank: number): number {
  let before = 0;
  for (const { step, sent, lost } of waits) {
    const n = sent + lost;
    if (before + n >= rank) {
      const start = startOf(step);
      return Math.round(start + ((rank - before) / n) * (startOf(step + 1) - start));
    }
    before += n;
  }
  return 0;
}
