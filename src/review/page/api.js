// @ts-check

/**
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<any>}
 */
async function ask(path, init) {
  let response
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin' })
  } catch {
    throw new Error('The review has ended: start assay review again.')
  }
  const type = response.headers.get('content-type') ?? ''
  const body = type.startsWith('application/json') ? await response.json() : { error: await response.text() }
  if (!response.ok) throw new Error(body?.error ?? `The server says ${response.status}.`)
  return body
}

/** @param {unknown} body */
const post = (body) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

export const loadRun = () => ask('/api/run')

/** @type {Map<number, Promise<any>>} */
const held = new Map()
const most = 400

/**
 * What is shown of a record; those after it come along in the same answer.
 * @param {number} at
 * @param {readonly number[]} ahead
 * @returns {Promise<any>}
 */
export function loadContent(at, ahead) {
  const known = held.get(at)
  if (known) return known
  const wanted = [at, ...ahead.filter((i) => !held.has(i))]
  const answer = ask(`/api/contents?of=${wanted.join(',')}`)
  for (const i of wanted) {
    const one = answer.then((all) => all.find((/** @type {[number, unknown]} */ [j]) => j === i)?.[1])
    // A failure, or a file that has changed, is asked for again when it is looked at again.
    one.then(
      (content) => (!content || content.changed) && held.delete(i),
      () => held.delete(i),
    )
    held.set(i, one)
  }
  for (const oldest of held.keys()) {
    if (held.size <= most) break
    held.delete(oldest)
  }
  return /** @type {Promise<any>} */ (held.get(at))
}

/** @type {Promise<unknown>} */
let queue = Promise.resolve()

/**
 * One after the other, in the order of the keys.
 * @template T
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
function inTurn(act) {
  const next = queue.then(act)
  queue = next.catch(() => {})
  return next
}

/** @param {{ target: { kind: string, at: number }, decision: string, label: number | null, note: string | null }} choice */
export const sendDecision = (choice) => inTurn(() => ask('/api/decisions', post(choice)))
export const sendUndo = () => inTurn(() => ask('/api/undo', post({})))
