import { hash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { DeliveredFile, Delivery } from '../contracts/provenance.ts'
import { openDelivery } from '../provenance/delivery.ts'
import { ProvenanceError } from '../provenance/errors.ts'
import { hashFiles } from '../provenance/hash-files.ts'
import { type KeyType, makeKeyPair } from '../provenance/sign/keygen.ts'
import { mlBom } from '../provenance/sign/ml-bom.ts'
import { isIgnored, omsBundle, omsStatement } from '../provenance/sign/oms.ts'
import { loadSigningKey, type SigningKey } from '../provenance/sign/signing-key.ts'
import { documentStatement, signStatement, type VerdictInput, verdictStatement } from '../provenance/sign/statement.ts'
import { type SummedFile, sumsText } from '../provenance/sign/sums.ts'
import { version } from '../version.ts'

export interface SignRequest {
  /** Folder that is signed. */
  readonly root: string
  /** Private key; null: nothing is signed, only sums and bill of materials are written. */
  readonly key: string | null
  readonly password?: string | undefined
  /** Where the signature goes; null: `model.sig` in the folder. */
  readonly out: string | null
  /** Where to write these; null: not at all. Relative ones are below the folder. */
  readonly sums: string | null
  readonly bom: string | null
  readonly subject: { readonly name: string | null; readonly version: string | null }
  readonly license?: string | undefined
  readonly supplier?: string | undefined
  /** Paths below the folder that are left out. */
  readonly ignore: readonly string[]
  readonly force: boolean
  readonly now: Date
  readonly threads: number
  progress(bytes: number): void
  readonly signal?: AbortSignal | undefined
}

export interface Signed {
  readonly files: number
  readonly bytes: number
  /** Absolute paths of what was written, in the order of writing. */
  readonly written: readonly string[]
  /** SHA-256 of the public key in DER; null where nothing was signed. */
  readonly fingerprint: string | null
  readonly kind: SigningKey['kind'] | null
}

const exists = (path: string): ProvenanceError =>
  new ProvenanceError('exists', `${path} exists already`, { file: path }, 'choose another name, or overwrite it with --force')

/** Never over another file unless `force`, and then moved into place whole. */
async function place(path: string, text: string, force: boolean): Promise<void> {
  const target = force ? `${path}.${process.pid}.tmp` : path
  try {
    await writeFile(target, text, { flag: 'wx' })
  } catch (e) {
    throw (e as NodeJS.ErrnoException).code === 'EEXIST' ? exists(target) : e
  }
  if (target === path) return
  try {
    await rename(target, path)
  } catch (e) {
    await rm(target, { force: true })
    throw e
  }
}

/** Relative to the root, `/` between parts; null for what lies outside of it. */
function below(root: string, path: string): string | null {
  const inside = relative(root, path)
  return inside === '' || inside.startsWith('..') || resolve(inside) === inside ? null : inside.split(sep).join('/')
}

/** A signature says what a name means everywhere: so none that another disk reads differently, and no links. */
function checkSignable({ root, problems }: Delivery, files: readonly DeliveredFile[]): void {
  const [problem] = problems
  if (problem) throw new ProvenanceError('hostile', problem.message, problem.place, 'nothing was signed: rename or remove it first', 4)
  const seen = new Set<string>()
  for (const { path } of files) {
    for (let part = path; part !== '.' && part !== '' && !seen.has(part); part = dirname(part)) {
      seen.add(part)
      if (lstatSync(join(root, part)).isSymbolicLink())
        throw new ProvenanceError(
          'unsupported',
          `${part} is a symbolic link`,
          { file: part },
          'replace it by what it points to: signatures hold no links',
          4,
        )
    }
  }
}

async function digestsOf(
  delivery: Delivery,
  files: readonly DeliveredFile[],
  request: SignRequest,
): Promise<(SummedFile & { bytes: number })[]> {
  const results = await hashFiles(
    delivery.root,
    files.map(({ path }) => ({ path, algorithms: ['sha256' as const], ranges: [] })),
    { threads: request.threads, progress: request.progress, signal: request.signal, outside: delivery.outside },
  )
  return results.map(({ path, bytes, digests, failed }) => {
    const digest = digests[0]
    if (!digest) throw new ProvenanceError('unreadable', `${path} cannot be read: ${failed ?? 'unknown'}`, { file: path })
    return { path, bytes, sha256: digest.hex }
  })
}

/**
 * Signs a folder: an OpenSSF model signature over every file, and where asked a sums file and a bill of materials, which the
 * signature covers as well. Writes these files and no others.
 *
 * @throws {ProvenanceError} `exists`, `bad-key`, `hostile` and `unsupported` (names or links that cannot be signed), `unreadable`
 */
export async function signFolder(request: SignRequest): Promise<Signed> {
  const { force, ignore } = request
  const key = request.key === null ? null : loadSigningKey(request.key, request.password)
  const folder = resolve(request.root)
  if (!(await stat(folder).catch(() => null))?.isDirectory())
    throw new ProvenanceError(
      'not-a-folder',
      `${request.root} is no folder`,
      { file: request.root },
      'name the folder whose files are to be signed',
    )
  const delivery = await openDelivery(folder, request.signal ? { signal: request.signal } : {})
  const { root } = delivery
  const out = key === null ? null : request.out === null ? join(root, 'model.sig') : resolve(request.out)
  const [sums, bom] = [request.sums, request.bom].map((path) => (path === null ? null : resolve(root, path)))
  const outputs = [sums, bom, out].filter((path): path is string => typeof path === 'string')
  if (new Set(outputs).size < outputs.length) throw new ProvenanceError('bad-option', 'two outputs have the same name')
  for (const path of outputs) {
    const info = await stat(path).catch(() => null)
    if (info?.isDirectory() || (info && !force)) throw exists(path)
  }
  const own = outputs.flatMap((path) => below(root, path) ?? [])
  const data = delivery.files.filter(({ path }) => !own.includes(path) && !isIgnored(path, ignore))
  if (data.length === 0) throw new ProvenanceError('no-manifest', `${request.root} holds no file to sign`, { file: request.root })
  checkSignable(delivery, data)
  const files = await digestsOf(delivery, data, request)
  const written: string[] = []
  const added: SummedFile[] = []
  const write = async (path: string, text: string): Promise<void> => {
    await place(path, text, force)
    written.push(path)
    const name = below(root, path)
    if (name !== null) added.push({ path: name, sha256: hash('sha256', text, 'hex') })
  }
  const name = request.subject.name ?? basename(root)
  if (bom) {
    const { license, supplier, now } = request
    const document = mlBom({ subject: { ...request.subject, name }, files, now, tool: { name: 'assay', version }, license, supplier })
    await write(bom, `${JSON.stringify(document, null, 2)}\n`)
  }
  if (sums) await write(sums, sumsText([...files, ...added]))
  if (out && key) {
    const ignored = [...ignore, ...(below(root, out) === null ? [] : [below(root, out) as string])]
    await write(out, `${JSON.stringify(omsBundle(omsStatement(basename(root), [...files, ...added], ignored), key))}\n`)
  }
  return {
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    written,
    fingerprint: key?.fingerprint ?? null,
    kind: key?.kind ?? null,
  }
}

/** Name of the signed verdict in a run directory. */
export const verdictFile = 'verdict.intoto.json'

/**
 * Signs the verdict of a report into its run directory.
 * @returns the path of the envelope; null where nothing was read, so that there is nothing to vouch for
 * @throws {ProvenanceError} `bad-key`
 */
export async function writeVerdict(runDir: string, report: VerdictInput, keyPath: string, password?: string): Promise<string | null> {
  if (report.inputs.length === 0) return null
  const path = join(runDir, verdictFile)
  const envelope = signStatement(verdictStatement(report), loadSigningKey(keyPath, password))
  await place(path, `${JSON.stringify(envelope)}\n`, true)
  return path
}

/**
 * Signs documents that tell a report: an envelope `NAME.intoto.json` beside each, over its digest and the verdict.
 * @returns what signs one, and resolves to the path of its envelope
 * @throws {ProvenanceError} `bad-key`
 */
export function documentSigner(
  keyPath: string,
  password?: string,
): (path: string, bytes: Uint8Array, report: VerdictInput) => Promise<string> {
  const key = loadSigningKey(keyPath, password)
  return async (path, bytes, report) => {
    const target = `${path}.intoto.json`
    const statement = documentStatement(report, { name: basename(path), sha256: hash('sha256', bytes, 'hex') })
    await place(target, `${JSON.stringify(signStatement(statement, key))}\n`, true)
    return target
  }
}

/**
 * A new key pair: `NAME.key`, readable by its owner alone, and `NAME.pub`.
 * @throws {ProvenanceError} `exists`
 */
export async function writeKeyPair(
  name: string,
  type: KeyType,
  password: string | null,
): Promise<{ readonly files: readonly [string, string]; readonly fingerprint: string }> {
  const [privatePath, publicPath] = [`${resolve(name)}.key`, `${resolve(name)}.pub`] as const
  for (const path of [privatePath, publicPath]) if (await stat(path).catch(() => null)) throw keyExists(path)
  await mkdir(dirname(privatePath), { recursive: true })
  const { privatePem, publicPem, fingerprint } = makeKeyPair(type, password)
  const create = (path: string, text: string, mode: number) =>
    writeFile(path, text, { flag: 'wx', mode }).catch((e: NodeJS.ErrnoException) => {
      throw e.code === 'EEXIST' ? keyExists(path) : e
    })
  await create(privatePath, privatePem, 0o600)
  try {
    await create(publicPath, publicPem, 0o644)
  } catch (e) {
    await rm(privatePath, { force: true })
    throw e
  }
  return { files: [privatePath, publicPath], fingerprint }
}

const keyExists = (path: string): ProvenanceError =>
  new ProvenanceError('exists', `${path} exists already`, { file: path }, 'keys are never overwritten: choose another name')
