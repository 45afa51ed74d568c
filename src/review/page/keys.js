// @ts-check

/** Shown by help, in this order. */
export const keys = /** @type {const} */ ([
  ['j \u2193', 'next'],
  ['k \u2191', 'previous'],
  ['PgDn PgUp', 'a page on, a page back'],
  ['Home End', 'first, last'],
  ['c', 'confirm: the record is poison, the finding is right'],
  ['d', 'dismiss: the record is clean, the finding is wrong'],
  ['r', 'relabel the record'],
  ['n', 'note'],
  ['u', 'undo your last decision'],
  ['g', 'from findings to records, and back'],
  ['Enter', 'on a finding: show its records'],
  ['/', 'filters'],
  ['x', 'show all records'],
  ['o', 'open the report'],
  ['?', 'this help'],
])

/** @type {Readonly<Record<string, string>>} */
const actions = {
  j: 'next',
  ArrowDown: 'next',
  k: 'previous',
  ArrowUp: 'previous',
  PageDown: 'page',
  PageUp: 'pageBack',
  Home: 'first',
  End: 'last',
  c: 'confirm',
  d: 'dismiss',
  r: 'relabel',
  n: 'note',
  u: 'undo',
  g: 'switch',
  '/': 'filters',
  x: 'all',
  o: 'report',
  '?': 'help',
}
const inLists = new Set(['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End'])

/**
 * Keys go to the lists wherever the focus is, but not out of a dialog, a field or what scrolls by itself.
 * @param {(action: string) => void} act
 */
export function listenToKeys(act) {
  document.addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target)
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('dialog')) return
    if (event.key === 'Escape' && target.closest('form')) return void act('leave')
    if (target.closest('select, input, textarea')) return
    if (event.key === 'Enter') {
      if (target.id !== 'findings') return
      event.preventDefault()
      return void act('records')
    }
    const action = actions[event.key]
    if (action === undefined || (inLists.has(event.key) && target.closest('[tabindex]:not([role="listbox"], .detail)'))) return
    event.preventDefault()
    act(action)
  })
}
