import type { AuditOutcome } from '../../../src/contracts/outcome.ts'
import type { KnownFinding } from '../../../src/contracts/pipeline.ts'
import type { Policy } from '../../../src/report/build.ts'
import { fingerprintOf } from '../../../src/report/fingerprint.ts'
import { policy as gate, outcome as poisoned } from './poisoned-tabular.ts'

export const outcome: AuditOutcome = { ...poisoned, subject: { name: 'breast-cancer', version: 'the store, night 12' } }

const findings = outcome.detectors.flatMap((d) => d.findings)
const [first, second] = findings.filter((f) => f.severity !== 'review') as [(typeof findings)[number], (typeof findings)[number]]
const accept = ({ rule, scope, severity, count, message }: typeof first, part: Partial<KnownFinding> = {}): KnownFinding => ({
  fingerprint: fingerprintOf({ rule, scope }),
  rule,
  severity,
  message,
  count,
  maxCount: count,
  accepted: '2026-11-02',
  ...part,
})

/** One finding as it was accepted, one that grew, one that is gone, and one whose detector did not run. */
export const policy: Policy = {
  ...gate,
  known: [
    accept(first),
    accept(second, { count: second.count - 1, maxCount: second.count - 1 }),
    accept(first, { fingerprint: 'ab'.repeat(32), message: 'A hospital <script>alert(1)</script> that is \u202e no longer there.' }),
    accept(first, { fingerprint: 'cd'.repeat(32), rule: 'trigger-text/phrase', message: 'A phrase.' }),
  ],
}
