// @ts-check
import { el } from './dom.js'

const spare = 8

/**
 * A list box that holds only the rows in sight: ten thousand cost as much as thirty.
 * @param {{ root: HTMLElement, name: string, rowHeight: number, length: () => number, cursor: () => number, row: (at: number) => HTMLElement, choose: (at: number) => void }} options
 */
export function openList({ root, name, rowHeight, length, cursor, row, choose }) {
  const sizer = el('div', { role: 'presentation', class: 'sizer' })
  root.append(sizer)
  /** @type {Map<number, HTMLElement>} */
  const rows = new Map()

  function draw() {
    const n = length()
    sizer.style.height = `${n * rowHeight}px`
    const from = Math.max(0, Math.floor(root.scrollTop / rowHeight) - spare)
    const to = Math.min(n, Math.ceil((root.scrollTop + root.clientHeight) / rowHeight) + spare)
    for (const [at, element] of rows) {
      if (at >= from && at < to) continue
      element.remove()
      rows.delete(at)
    }
    for (let at = from; at < to; at++) {
      if (rows.has(at)) continue
      const element = row(at)
      element.id = `${name}-${at}`
      element.setAttribute('role', 'option')
      element.setAttribute('aria-setsize', String(n))
      element.setAttribute('aria-posinset', String(at + 1))
      element.setAttribute('aria-selected', String(at === cursor()))
      element.style.top = `${at * rowHeight}px`
      element.style.height = `${rowHeight}px`
      rows.set(at, element)
      sizer.append(element)
    }
    const active = n > 0 && rows.has(cursor()) ? `${name}-${cursor()}` : null
    if (active) root.setAttribute('aria-activedescendant', active)
    else root.removeAttribute('aria-activedescendant')
  }

  root.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true })
  root.addEventListener('click', (event) => {
    const option = /** @type {HTMLElement} */ (event.target).closest('[role="option"]')
    if (option) choose(Number(option.id.slice(name.length + 1)))
  })
  new ResizeObserver(draw).observe(root)

  return {
    /** Draws all rows in sight anew: their text has changed. */
    refresh() {
      for (const element of rows.values()) element.remove()
      rows.clear()
      draw()
    },
    /** Brings the cursor into sight. */
    reveal() {
      const top = cursor() * rowHeight
      if (top < root.scrollTop) root.scrollTop = top
      else if (top + rowHeight > root.scrollTop + root.clientHeight) root.scrollTop = top + rowHeight - root.clientHeight
      for (const [at, element] of rows) element.setAttribute('aria-selected', String(at === cursor()))
      draw()
    },
    /** Rows that fit. */
    page: () => Math.max(1, Math.floor(root.clientHeight / rowHeight) - 1),
  }
}
