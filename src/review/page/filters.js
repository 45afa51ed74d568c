// @ts-check
import { byId, el } from './dom.js'
import { state } from './state.js'

const select = (/** @type {string} */ name) => /** @type {HTMLSelectElement} */ (byId(`filter-${name}`))

/**
 * @param {string} name
 * @param {(readonly [string | number, string])[]} options
 */
function fill(name, options) {
  select(name).replaceChildren(...options.map(([value, text]) => el('option', { value: String(value) }, text)))
}

export const decisionsShown = /** @type {const} */ ([
  ['', 'all'],
  ['open', 'not reviewed'],
  ['confirm', 'confirmed'],
  ['dismiss', 'dismissed'],
  ['relabel', 'relabelled'],
  ['note', 'with a note'],
])
const longest = 80
const cut = (/** @type {string} */ text) => (text.length > longest ? `${text.slice(0, longest)}\u2026` : text)

/** @param {() => void} changed */
export function openFilters(changed) {
  const { run } = state
  const detectors = [...new Set(run.records.rules.flat().map((/** @type {number} */ w) => run.words[w].split('/')[0]))].sort()
  const classes = [...new Set(run.records.given)].filter((c) => Number(c) >= 0)
  fill('finding', [[-1, 'all'], ...run.findings.map((/** @type {any} */ f, /** @type {number} */ i) => [i, cut(f.message)])])
  fill('detector', [['', 'all'], ...detectors.map((d) => /** @type {[string, string]} */ ([String(d), String(d)]))])
  fill('class', [[-1, 'all'], ...classes.map((c) => /** @type {[number, string]} */ ([Number(c), cut(run.labels[Number(c)])]))])
  fill('decision', [...decisionsShown])
  byId('filters').addEventListener('change', () => {
    state.filter = {
      finding: Number(select('finding').value),
      detector: select('detector').value,
      class: Number(select('class').value),
      decision: select('decision').value,
    }
    changed()
  })
  byId('filters').addEventListener('submit', (event) => event.preventDefault())
}

/** @param {Partial<import('./state.js').Filter>} filter */
export function setFilter(filter) {
  state.filter = { finding: -1, detector: '', class: -1, decision: '', ...filter }
  for (const [name, value] of Object.entries(state.filter)) select(name).value = String(value)
}

export const focusFilters = () => select('finding').focus()
