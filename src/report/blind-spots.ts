import { type AuditOutcome, baseModelId, provenanceId } from '../contracts/outcome.ts'
import { type BlindSpot, type Seen, spots } from './blind-spot-list.ts'

const triggerRule = `${baseModelId}/trigger-response`
const scanRule = `${baseModelId}/pickle-code`

/** What this audit cannot see: attacks that no detector that ran covers, and the limits of those that did. */
export function blindSpotsOf(outcome: AuditOutcome): readonly BlindSpot[] {
  const ran = outcome.detectors.filter((d) => d.status === 'ran')
  const ids = new Set(ran.map((d) => d.id))
  const asking = ran.filter((d) => d.rules.some((rule) => rule.id === triggerRule))
  const seen: Seen = {
    ran: ids,
    asked: asking.length === 0 ? null : asking.some((d) => d.tests.some((t) => t.id.startsWith(triggerRule))),
    scanned: ran.some((d) => d.rules.some((rule) => rule.id === scanRule)),
    roles: new Set(outcome.columns.flatMap((c) => (c.role ? [c.role] : []))),
    masks: outcome.columns.some((c) => c.name === 'segmentation' && c.role === null && /not read$/.test(c.type)),
    reference: outcome.rows.reference > 0,
    provenance: ids.has(provenanceId) ? outcome.provenance : null,
  }
  return spots.filter((spot) => spot.applies(seen)).map(({ kind, family, title, sentence }) => ({ kind, family, title, sentence }))
}

/** What was not looked for at all, each once. */
export const notLookedFor = (blindSpots: readonly Pick<BlindSpot, 'kind' | 'title'>[]): readonly string[] => [
  ...new Set(blindSpots.filter((s) => s.kind === 'not-covered').map((s) => s.title)),
]
