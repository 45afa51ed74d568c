// @ts-check
import { labels, nameOf, stamp } from './cards.js'
import { bdi, count, el, pText } from './dom.js'
import { labelText, state } from './state.js'

/**
 * @param {string} title
 * @param {Node | string} value
 */
const fact = (title, value) => el('div', {}, el('dt', {}, title), el('dd', {}, value))

const kinds = { mark: 'mark', hidden: 'i' }

/**
 * A text of the record, with what the findings speak of marked.
 * @param {string} title
 * @param {{ pieces: { kind: 'text' | 'mark' | 'hidden', text: string }[], left: number } | null} text
 */
function passage(title, text) {
  if (!text) return null
  const pieces = text.pieces.map((p) =>
    p.kind === 'text' ? p.text : el(kinds[p.kind], p.kind === 'hidden' ? { class: 'hidden-run' } : {}, p.text),
  )
  return el(
    'section',
    { class: 'passage' },
    el('h3', {}, title),
    el('blockquote', { tabindex: 0, 'aria-label': title }, el('bdi', {}, ...pieces)),
    text.left > 0 && el('p', { class: 'hint' }, `${count(text.left)} more characters are not shown.`),
  )
}

/** @param {any} part */
const partRow = (part) =>
  el(
    'tr',
    {},
    el('th', { scope: 'row' }, el('code', {}, part.rule)),
    el('td', { class: 'n' }, part.score),
    el('td', { class: 'n' }, part.p === null ? 'none' : pText(part.p).replace(/^p (= )?/, '')),
    el('td', {}, part.suggested < 0 ? '' : bdi(labelText(part.suggested))),
    el('td', {}, part.group === null ? '' : bdi(part.group)),
  )

/** @param {any[]} parts */
const partsTable = (parts) =>
  el(
    'section',
    {},
    el('h3', {}, 'Why it is flagged'),
    el(
      'div',
      { class: 'scroll', role: 'region', 'aria-label': 'Flags of this record', tabindex: 0 },
      el(
        'table',
        {},
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            ...['Rule', 'Score', 'p-value', 'Suggested', 'Group'].map((t, i) =>
              el('th', { scope: 'col', class: i === 1 || i === 2 ? 'n' : null }, t),
            ),
          ),
        ),
        el('tbody', {}, ...parts.map(partRow)),
      ),
    ),
  )

/** @param {any} content */
function features(content) {
  if (!content.features?.length) return null
  const items = content.features.map((/** @type {{ name: string, value: string }} */ f) => fact(f.name, f.value))
  return el('section', {}, el('h3', {}, 'Columns'), el('dl', { class: 'facts columns' }, ...items))
}

/** @param {any} content */
function shownOf(content) {
  if (content.changed)
    return el(
      'p',
      { class: 'alert' },
      bdi(content.changed),
      ' is not the file that was audited: its SHA-256 differs, or it is gone. Nothing of it is shown, and nothing can be decided. Audit again.',
    )
  if (content.missing) return el('p', { class: 'alert' }, 'The record can no longer be read.')
  return [
    content.image && el('img', { src: content.image, alt: 'The picture of this record', class: 'picture' }),
    passage('Text', content.text),
    passage('Response', content.response),
    content.embedding !== null &&
      !content.text &&
      !content.image &&
      content.features.length === 0 &&
      el('p', { class: 'hint' }, `An embedding of ${content.embedding} numbers: there is nothing to look at but what flagged it.`),
  ]
}

/**
 * A note and who decided.
 * @param {import('./state.js').Held | undefined} held
 */
const decided = (held) =>
  held &&
  el(
    'p',
    { class: 'decided' },
    stamp(held),
    held.decision === 'relabel' && [' as ', bdi(labelText(held.label) ?? '?')],
    held.reviewer ? ` by ${held.reviewer}` : '',
    held.note && [': ', bdi(held.note)],
  )

/**
 * @param {[string, string, string][]} actions key, word, action
 */
const buttons = (actions) =>
  el(
    'div',
    { class: 'choices' },
    ...actions.map(([key, word, action]) => el('button', { type: 'button', 'data-action': action }, `${word} `, el('kbd', {}, key))),
  )

/**
 * @param {number} i
 * @param {any} content null: not there yet
 */
export function recordView(i, content) {
  const { records, words, findings } = state.run
  const source = content && !content.changed && content.source
  const named = records.findings[i].map((/** @type {number} */ f) => findings[f])
  return [
    el('h2', { class: 'title' }, bdi(nameOf(i))),
    el('p', { class: 'where' }, bdi(words[records.shard[i]]), `, row ${count(records.row[i])}`),
    el(
      'dl',
      { class: 'facts' },
      fact('Label', labels(records.given[i], records.suggested[i])),
      fact('Score', records.score[i].toFixed(3)),
      source ? fact('Source', bdi(source)) : null,
    ),
    decided(state.records.get(i)),
    buttons([
      ['c', 'Confirm: it is poison', 'confirm'],
      ['d', 'Dismiss: it is clean', 'dismiss'],
      ['r', 'Relabel', 'relabel'],
      ['n', 'Note', 'note'],
    ]),
    content ? shownOf(content) : el('p', { class: 'hint', 'aria-busy': true }, 'Reading the record\u2026'),
    content && partsTable(content.parts),
    content && features(content),
    named.length > 0 &&
      el(
        'section',
        {},
        el('h3', {}, 'Findings'),
        el('ul', { class: 'notes' }, ...named.map((/** @type {any} */ f) => el('li', {}, bdi(f.message)))),
      ),
  ].flat()
}

/** @param {number} i */
export function findingView(i) {
  const f = state.run.findings[i]
  return [
    el('p', { class: 'where' }, el('span', { class: `badge ${f.severity}` }, f.severity), ' ', el('code', {}, f.rule)),
    el('h2', { class: 'title' }, bdi(f.message)),
    el(
      'dl',
      { class: 'facts' },
      fact('Concerns', count(f.count)),
      fact('Corrected p-value', f.p === null ? 'no test' : pText(f.p).replace(/^p (= )?/, '')),
      f.status === 'waived' ? fact('Gate', 'waived') : null,
    ),
    decided(state.findings.get(i)),
    buttons([
      ['c', 'Confirm the finding', 'confirm'],
      ['d', 'Dismiss the finding', 'dismiss'],
      ['n', 'Note', 'note'],
      ['Enter', 'Show its records', 'records'],
    ]),
    el('p', { class: 'action' }, el('b', {}, 'What to do. '), bdi(f.action)),
    el(
      'p',
      { class: 'hint' },
      'The evidence is in the ',
      el('a', { href: `/report#finding-${i + 1}`, target: '_blank', rel: 'noreferrer' }, 'report'),
      '. A finding that is dismissed with a note becomes a waiver: ',
      el('code', {}, 'assay review RUN --export-waivers waivers.yaml'),
      '.',
    ),
  ]
}
