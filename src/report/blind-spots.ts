import { type AuditOutcome, provenanceId } from '../contracts/outcome.ts'
import { type BlindSpot, type Seen, spots } from './blind-spot-list.ts'

/** What this audit cannot see: attacks that no detector that ran covers, and the limits of those that did. */
export function blindSpotsOf(outcome: AuditOutcome): readonly BlindSpot[] {
  const ran = outcome.detectors.filter((d) => d.status === 'ran')
  const ids = new Set(ran.map((d) => d.id))
  const seen: Seen = {
    ran: ids,
    rules: new Set(ran.flatMap((d) => d.rules.map((rule) => rule.id))),
    roles: new Set(outcome.columns.flatMap((c) => (c.role ? [c.role] : []))),
    reference: outcome.rows.reference > 0,
    provenance: ids.has(provenanceId) ? outcome.provenance : null,
  }
  return spots.filter((spot) => spot.applies(seen)).map(({ kind, family, title, sentence }) => ({ kind, family, title, sentence }))
}
