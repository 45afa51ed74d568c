// @ts-check
import { loadContent, loadRun, sendDecision, sendUndo } from './api.js'
import { findingRow, nameOf, recordRow } from './cards.js'
import { askLabel, askNote, showHelp } from './dialogs.js'
import { byId, count } from './dom.js'
import { focusFilters, openFilters, setFilter } from './filters.js'
import { keys, listenToKeys } from './keys.js'
import { openList } from './list.js'
import { findingView, recordView } from './record.js'
import { heldOf, refilter, reviewed, selected, state, words } from './state.js'

const ahead = 8
const restMs = 40

const lists = {
  record: openList({
    root: byId('records'),
    name: 'record',
    rowHeight: 58,
    length: () => state.shown.length,
    cursor: () => state.cursor.record,
    row: recordRow,
    choose: (at) => moveTo('record', at),
  }),
  finding: openList({
    root: byId('findings'),
    name: 'finding',
    rowHeight: 58,
    length: () => state.run?.findings.length ?? 0,
    cursor: () => state.cursor.finding,
    row: findingRow,
    choose: (at) => moveTo('finding', at),
  }),
}
const length = () => (state.kind === 'record' ? state.shown.length : state.run.findings.length)

/** @param {unknown} error */
function tell(error) {
  byId('alert').textContent = error instanceof Error ? error.message : String(error)
  byId('alert').hidden = false
}
/** @param {string} text */
const say = (text) => {
  byId('status').textContent = text
}

function drawProgress() {
  const total = state.run.records.row.length
  const progress = /** @type {HTMLProgressElement} */ (byId('progress'))
  progress.max = Math.max(1, total)
  progress.value = reviewed()
  byId('reviewed').textContent = `${count(reviewed())} of ${count(total)} reviewed`
  byId('records-count').textContent = state.shown.length === total ? count(total) : `${count(state.shown.length)} of ${count(total)}`
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let resting

function drawDetail() {
  const detail = byId('detail')
  const target = selected()
  clearTimeout(resting)
  detail.scrollTop = 0
  if (!target)
    return detail.replaceChildren(
      document.createTextNode(state.run.records.row.length === 0 ? 'This run flagged no record.' : 'No record passes the filters.'),
    )
  if (target.kind === 'finding') return detail.replaceChildren(...toNodes(findingView(target.at)))
  detail.replaceChildren(...toNodes(recordView(target.at, null)))
  // While a key is held down, records fly past: only where it rests is one read.
  resting = setTimeout(async () => {
    const here = () => {
      const now = selected()
      return now?.kind === 'record' && now.at === target.at
    }
    try {
      const at = state.cursor.record
      const content = await loadContent(target.at, state.shown.slice(at + 1, at + 1 + ahead))
      if (here() && content) detail.replaceChildren(...toNodes(recordView(target.at, content)))
    } catch (error) {
      if (here()) tell(error)
    }
  }, restMs)
}
/**
 * @param {readonly unknown[]} views
 * @returns {Node[]}
 */
const toNodes = (views) => /** @type {Node[]} */ (views.filter((v) => v instanceof Node))

function draw() {
  lists.record.refresh()
  lists.finding.refresh()
  drawProgress()
  drawDetail()
}

/**
 * @param {'record' | 'finding'} kind
 * @param {number} at
 */
function moveTo(kind, at) {
  state.kind = kind
  document.body.dataset.kind = kind
  state.cursor[kind] = Math.max(0, Math.min(at, length() - 1))
  lists[kind].reveal()
  drawDetail()
}

/** @param {number} by */
const move = (by) => moveTo(state.kind, state.cursor[state.kind] + by)

/**
 * Shows a decision at once; takes it back where the server could not keep it.
 * @param {{ kind: 'record' | 'finding', at: number }} target
 * @param {'confirm' | 'dismiss' | 'relabel' | 'note'} decision
 * @param {{ label?: number, note?: string | null }} [more]
 */
function decide(target, decision, { label, note } = {}) {
  const held = heldOf(target.kind)
  const before = held.get(target.at)
  const own = { label: label ?? -1, note: note ?? before?.note ?? null, reviewer: state.run.reviewer }
  held.set(
    target.at,
    decision === 'note' ? { decision: before?.decision ?? null, ...own, label: before?.label ?? -1 } : { decision, ...own },
  )
  byId('alert').hidden = true
  say(decision === 'note' ? 'Note kept.' : `${words[decision]}. ${reviewed()} of ${state.run.records.row.length} reviewed.`)
  const place = state.cursor[target.kind]
  const first = state.shown[place]
  refilter()
  if (decision !== 'note')
    state.cursor[target.kind] = Math.min(
      target.kind === 'record' && state.shown[place] !== first ? place : place + 1,
      Math.max(0, length() - 1),
    )
  draw()
  lists[target.kind].reveal()
  sendDecision({ target, decision, label: label ?? null, note: note ?? null }).then(
    (answer) => {
      if (answer?.held) held.set(target.at, answer.held)
    },
    (error) => {
      if (before) held.set(target.at, before)
      else held.delete(target.at)
      refilter()
      draw()
      tell(error)
    },
  )
}

/** @param {'confirm' | 'dismiss' | 'relabel' | 'note'} decision */
async function choose(decision) {
  const target = selected()
  if (!target) return
  const before = heldOf(target.kind).get(target.at)
  const about = target.kind === 'record' ? nameOf(target.at) : state.run.findings[target.at].message
  if (decision === 'relabel') {
    if (target.kind === 'finding') return
    const { given, suggested } = state.run.records
    const label = await askLabel(about, given[target.at], suggested[target.at])
    if (label !== null) decide(target, 'relabel', { label })
  } else if (decision === 'note' || (decision === 'dismiss' && target.kind === 'finding' && !before?.note)) {
    const note = await askNote(about, before?.note ?? '')
    if (note !== null) decide(target, decision, { note })
  } else decide(target, decision)
}

async function undo() {
  try {
    const answer = await sendUndo()
    if (!answer) return say('There is nothing to undo.')
    const { target, held } = answer
    if (held) heldOf(target.kind).set(target.at, held)
    else heldOf(target.kind).delete(target.at)
    refilter()
    const at = target.kind === 'record' ? state.shown.indexOf(target.at) : target.at
    draw()
    moveTo(target.kind, at < 0 ? state.cursor.record : at)
    say('Undone.')
  } catch (error) {
    tell(error)
  }
}

/** @param {Partial<import('./state.js').Filter>} filter */
function filterBy(filter) {
  setFilter(filter)
  state.cursor.record = 0
  refilter()
  draw()
  byId('records').focus()
  moveTo('record', state.cursor.record)
}

/** @type {Readonly<Record<string, () => unknown>>} */
const actions = {
  next: () => move(1),
  previous: () => move(-1),
  page: () => move(lists[state.kind].page()),
  pageBack: () => move(-lists[state.kind].page()),
  first: () => move(-length()),
  last: () => move(length()),
  confirm: () => choose('confirm'),
  dismiss: () => choose('dismiss'),
  relabel: () => choose('relabel'),
  note: () => choose('note'),
  undo,
  records: () => filterBy({ finding: state.cursor.finding }),
  switch: () => byId(state.kind === 'record' ? 'findings' : 'records').focus(),
  filters: focusFilters,
  leave: () => byId('records').focus(),
  all: () => filterBy({}),
  report: () => byId('report').click(),
  help: () => showHelp(keys),
}

function listen() {
  listenToKeys((action) => actions[action]?.())
  for (const id of ['undo', 'help']) byId(id).addEventListener('click', () => actions[id]?.())
  byId('clear').addEventListener('click', () => filterBy({}))
  byId('detail').addEventListener('click', (event) => {
    const action = /** @type {HTMLElement} */ (event.target).closest('[data-action]')?.getAttribute('data-action')
    if (action) actions[action]?.()
  })
  for (const kind of /** @type {const} */ (['record', 'finding']))
    byId(`${kind}s`).addEventListener('focus', () => state.kind !== kind && moveTo(kind, state.cursor[kind]))
}

/** @param {number} other lines that are about another report */
function drawHead(other) {
  const { run } = state
  byId('subject').textContent = run.version === null ? run.subject : `${run.subject}, ${run.version}`
  document.title = `Review: ${run.subject}`
  byId('verdict').textContent = run.verdict.replace('-', ' ')
  byId('verdict').classList.add(run.verdict)
  byId('verdict').hidden = false
  byId('findings-count').textContent = count(run.findings.length)
  const notes = [
    run.torn && 'The last line of decisions.jsonl was cut off when it was written: that decision is lost, all before it are kept.',
    run.left > 0 && `The ${count(run.records.row.length)} strongest are shown; ${count(run.left)} more are in the flags file.`,
    other > 0 && `${count(other)} lines of decisions.jsonl are about another report of this run, and do not count here.`,
  ].filter(Boolean)
  byId('notice').textContent = notes.join(' ')
  byId('notice').hidden = notes.length === 0
}

try {
  const { run, held } = await loadRun()
  state.run = run
  state.records = new Map(held.records)
  state.findings = new Map(held.findings)
  openFilters(() => {
    state.cursor.record = 0
    refilter()
    draw()
    moveTo('record', 0)
  })
  refilter()
  const open = state.shown.findIndex((i) => !state.records.get(i)?.decision)
  state.cursor.record = Math.max(0, open)
  drawHead(held.other)
  draw()
  listen()
  byId('records').focus()
  moveTo(state.shown.length > 0 ? 'record' : 'finding', state.shown.length > 0 ? state.cursor.record : 0)
} catch (error) {
  tell(error)
}
