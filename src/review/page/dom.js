// @ts-check
/** @typedef {Node | string | null | false | undefined} Child */

/**
 * An element; every text becomes a text node, never markup.
 * @param {string} tag
 * @param {Readonly<Record<string, string | number | boolean | null>>} [attributes]
 * @param {...(Child | readonly Child[])} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null) continue
    element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) element.append(child)
  return element
}

/**
 * Text of the data, kept from reordering what stands around it.
 * @param {string} text
 */
export const bdi = (text) => el('bdi', {}, text)

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export const byId = (id) => /** @type {T} */ (document.getElementById(id))

/** @param {number} n */
export const count = (n) => n.toLocaleString('en-US')

/** @param {number} p */
export const pText = (p) => (p === 0 ? 'p < 1e-300' : `p = ${p < 0.001 ? p.toExponential(1) : p.toFixed(3)}`)
