// @ts-check
import { bdi, byId, el } from './dom.js'
import { state } from './state.js'

/**
 * Shows a dialog; resolves to the value of the button that closed it.
 * @param {string} id
 * @returns {Promise<string>}
 */
function show(id) {
  const dialog = /** @type {HTMLDialogElement} */ (byId(id))
  dialog.returnValue = 'cancel'
  dialog.showModal()
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true }))
}

/**
 * @param {string} about
 * @param {string} before
 * @returns {Promise<string | null>} null: nothing changes
 */
export async function askNote(about, before) {
  const text = /** @type {HTMLTextAreaElement} */ (byId('note-text'))
  byId('note-about').replaceChildren(bdi(about))
  text.value = before
  const closed = show('note-dialog')
  text.focus()
  text.onkeydown = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) /** @type {HTMLDialogElement} */ (byId('note-dialog')).close('keep')
  }
  return (await closed) === 'keep' ? text.value.trim() : null
}

const mostLabels = 200

/**
 * @param {string} about
 * @param {number} given
 * @param {number} suggested
 * @returns {Promise<number | null>}
 */
export async function askLabel(about, given, suggested) {
  const find = /** @type {HTMLInputElement} */ (byId('label-find'))
  const list = byId('label-list')
  const all = state.run.labels
    .map((/** @type {string} */ name, /** @type {number} */ i) => ({ name, i }))
    .filter((/** @type {{ i: number }} */ l) => l.i !== given)
  // What is suggested stands first.
  all.sort((/** @type {{ i: number }} */ a, /** @type {{ i: number }} */ b) => Number(b.i === suggested) - Number(a.i === suggested))
  /** @type {{ name: string, i: number }[]} */
  let found = []
  let at = 0
  const draw = () => {
    const wanted = find.value.trim().toLowerCase()
    found = all.filter((/** @type {{ name: string }} */ l) => l.name.toLowerCase().includes(wanted)).slice(0, mostLabels)
    at = Math.max(0, Math.min(at, found.length - 1))
    list.replaceChildren(
      ...found.map((l, k) =>
        el(
          'div',
          { role: 'option', id: `label-${k}`, 'aria-selected': String(k === at), class: 'row one' },
          bdi(l.name),
          l.i === suggested && el('span', { class: 'hint' }, ' suggested'),
        ),
      ),
    )
    if (found.length > 0) find.setAttribute('aria-activedescendant', `label-${at}`)
    else find.removeAttribute('aria-activedescendant')
    list.children[at]?.scrollIntoView({ block: 'nearest' })
  }
  find.value = ''
  find.oninput = () => {
    at = 0
    draw()
  }
  find.onkeydown = (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    at += event.key === 'ArrowDown' ? 1 : -1
    draw()
  }
  list.onclick = (event) => {
    const option = /** @type {HTMLElement} */ (event.target).closest('[role="option"]')
    if (!option) return
    at = [...list.children].indexOf(option)
    draw()
  }
  byId('label-about').replaceChildren(bdi(about))
  const closed = show('label-dialog')
  find.focus()
  draw()
  return (await closed) === 'keep' ? (found[at]?.i ?? null) : null
}

/** @param {readonly (readonly [string, string])[]} keys */
export function showHelp(keys) {
  byId('keys').replaceChildren(
    ...keys.map(([key, what]) => el('div', {}, el('dt', {}, ...key.split(' ').map((k) => el('kbd', {}, k))), el('dd', {}, what))),
  )
  return show('help-dialog')
}
