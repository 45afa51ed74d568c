// @ts-check
import { bdi, count, el } from './dom.js'
import { labelText, rulesOf, state, words } from './state.js'

const signs = { confirm: '\u2717', dismiss: '\u2713', relabel: '\u21c4' }

/** @param {import('./state.js').Held | undefined} held */
export const stamp = (held) =>
  held?.decision
    ? el('span', { class: `stamp ${held.decision}` }, el('span', { 'aria-hidden': true }, signs[held.decision]), ` ${words[held.decision]}`)
    : held?.note
      ? el('span', { class: 'stamp note' }, 'noted')
      : null

/** @param {number} i */
export const nameOf = (i) => state.run.records.id[i] ?? `row ${count(state.run.records.row[i])}`

/**
 * Given and suggested label of a record.
 * @param {number} given
 * @param {number} suggested
 */
export function labels(given, suggested) {
  const [from, to] = [labelText(given), labelText(suggested)]
  if (to === null || to === from) return el('span', { class: 'change' }, from === null ? 'no label' : bdi(from))
  return el(
    'span',
    { class: 'change' },
    el('del', {}, from === null ? 'no label' : bdi(from)),
    el('span', { 'aria-hidden': true }, ' \u2192 '),
    el('ins', {}, bdi(to)),
  )
}

/** @param {number} at */
export function recordRow(at) {
  const i = /** @type {number} */ (state.shown[at])
  const { records } = state.run
  const rules = rulesOf(i)
  return el(
    'div',
    { class: 'row' },
    el('span', { class: 'name' }, bdi(nameOf(i))),
    stamp(state.records.get(i)) ?? el('span', { class: 'score' }, records.score[i].toFixed(3)),
    el('span', { class: 'more' }, labels(records.given[i], records.suggested[i])),
    el('span', { class: 'more rule' }, rules.length > 1 ? `${rules.length} flags` : (rules[0] ?? '')),
  )
}

/** @param {number} at */
export function findingRow(at) {
  const f = state.run.findings[at]
  return el(
    'div',
    { class: 'row' },
    el('span', { class: 'name' }, el('span', { class: `badge ${f.severity}` }, f.severity), ' ', f.title),
    stamp(state.findings.get(at)) ?? el('span', { class: 'score' }, count(f.count)),
    el('span', { class: 'more wide' }, bdi(f.message)),
  )
}
