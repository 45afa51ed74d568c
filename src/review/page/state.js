// @ts-check
/** @typedef {{ decision: 'confirm' | 'dismiss' | 'relabel' | null, label: number, note: string | null, reviewer?: string, time?: string }} Held */
/** @typedef {{ finding: number, detector: string, class: number, decision: string }} Filter */

export const words = { confirm: 'confirmed', dismiss: 'dismissed', relabel: 'relabelled' }

/** Everything that the page knows: the run as the server told it, what is decided, and where the reader is. */
export const state = {
  /** @type {any} */
  run: null,
  /** @type {Map<number, Held>} */
  records: new Map(),
  /** @type {Map<number, Held>} */
  findings: new Map(),
  /** @type {Filter} */
  filter: { finding: -1, detector: '', class: -1, decision: '' },
  /** Positions of the records that the filter lets through. @type {number[]} */
  shown: [],
  /** Which list the keys move in. @type {'record' | 'finding'} */
  kind: 'record',
  /** Position in `shown`, and among the findings. */
  cursor: { record: 0, finding: 0 },
}

/** @param {'record' | 'finding'} kind */
export const heldOf = (kind) => (kind === 'record' ? state.records : state.findings)

/** What is selected: the position of a record or a finding; null where the list is empty. */
export function selected() {
  const at = state.kind === 'record' ? state.shown[state.cursor.record] : state.cursor.finding
  return at === undefined || (state.kind === 'finding' && state.run.findings.length === 0) ? null : { kind: state.kind, at }
}

/** @param {number} i */
export const rulesOf = (i) => state.run.records.rules[i].map((/** @type {number} */ w) => state.run.words[w])

/** @param {number} label */
export const labelText = (label) => (label < 0 ? null : state.run.labels[label])

/**
 * @param {number} i
 * @param {Filter} filter
 */
function passes(i, filter) {
  const { records } = state.run
  const held = state.records.get(i)
  if (filter.finding >= 0 && !records.findings[i].includes(filter.finding)) return false
  if (filter.detector !== '' && !rulesOf(i).some((/** @type {string} */ r) => r.startsWith(`${filter.detector}/`))) return false
  if (filter.class >= 0 && records.given[i] !== filter.class) return false
  if (filter.decision === 'open') return !held?.decision
  if (filter.decision === 'note') return Boolean(held?.note)
  return filter.decision === '' || held?.decision === filter.decision
}

/** Applies the filter; the cursor stays on its record where that is still there. */
export function refilter() {
  const before = state.shown[state.cursor.record]
  const n = state.run.records.row.length
  state.shown = []
  for (let i = 0; i < n; i++) if (passes(i, state.filter)) state.shown.push(i)
  const at = before === undefined ? -1 : state.shown.indexOf(before)
  state.cursor.record = at >= 0 ? at : Math.max(0, Math.min(state.cursor.record, state.shown.length - 1))
}

export const reviewed = () => {
  let n = 0
  for (const held of state.records.values()) if (held.decision) n++
  return n
}
