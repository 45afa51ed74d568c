import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderOf } from '../provenance/folders.ts'
import { assay } from './harness.ts'

const data = () => folderOf({ 'a.csv': 'id,label\n1,cat\n', 'sub/b.csv': 'id,label\n2,dog\n' })
async function keys(type = 'p256', ...more: readonly string[]) {
  const name = join(folderOf({}), 'vendor')
  const made = await assay(['keygen', '--type', type, '--out', name, ...more], { env: { SECRET: 'open sesame' } })
  return { made, key: `${name}.key`, pub: `${name}.pub` }
}

describe('assay keygen', () => {
  it('names what it made, and makes it once', async () => {
    const { made, key } = await keys()
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toMatch(/vendor\.key: the private key[\s\S]*vendor\.pub: the public key, SHA-256 [0-9a-f]{64}/)
    const again = await assay(['keygen', '--out', key.replace(/\.key$/, '')])
    expect(again.code).toBe(4)
    expect(again.stderr).toContain('exists already')
  })

  it('takes the passphrase from the variable alone', async () => {
    const { key, pub } = await keys('p384', '--password-env', 'SECRET')
    const root = data()
    expect((await assay(['sign', root, '--key', key])).code).toBe(4)
    expect((await assay(['sign', root, '--key', key, '--password-env', 'NONE'])).stderr).toContain('NONE')
    expect((await assay(['sign', root, '--key', key, '--password-env', 'SECRET'], { env: { SECRET: 'open sesame' } })).code).toBe(0)
    expect((await assay(['verify', root, '--key', pub])).code).toBe(0)
  })
})

describe('assay sign', () => {
  it.each(['p256', 'p384', 'ed25519'])('what it signs with %s is verified, and what is changed afterwards is not', async (type) => {
    const { key, pub } = await keys(type)
    const root = data()
    const signed = await assay(['sign', root, '--key', key, '--sums', '--bom'])
    expect(signed.code).toBe(0)
    expect(signed.stdout).toContain('2 files')
    expect(signed.stderr.includes('ed25519')).toBe(type === 'ed25519')
    expect(readdirSync(root).sort()).toEqual(['SHA256SUMS', 'a.csv', 'bom.cdx.json', 'model.sig', 'sub'])
    expect((await assay(['verify', root, '--key', pub])).code).toBe(0)
    expect((await assay(['verify', root, '--key', (await keys(type)).pub])).code).toBe(1)
    appendFileSync(join(root, 'sub/b.csv'), '3,cat\n')
    expect((await assay(['verify', root, '--key', pub])).code).toBe(1)
  })

  it('a signature that was cut out leaves nothing that is signed', async () => {
    const { key, pub } = await keys()
    const root = data()
    await assay(['sign', root, '--key', key])
    const bundle = JSON.parse(readFileSync(join(root, 'model.sig'), 'utf8'))
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString().replace('a.csv', 'c.csv')
    bundle.dsseEnvelope.payload = Buffer.from(payload).toString('base64')
    writeFileSync(join(root, 'model.sig'), JSON.stringify(bundle))
    expect((await assay(['verify', root, '--key', pub])).code).toBe(1)
  })

  it('writes sums and bill of materials without a key, and nothing without an order', async () => {
    const root = data()
    expect(await assay(['sign', root])).toMatchObject({ code: 4, stdout: '' })
    expect(await assay(['sign', root, '--out', 'x.sig', '--sums'])).toMatchObject({ code: 4, stdout: '' })
    expect(readdirSync(root).sort()).toEqual(['a.csv', 'sub'])
    const made = await assay(['sign', root, '--sums'])
    expect(made.code).toBe(0)
    expect(made.stdout).not.toContain('signed')
    expect(readFileSync(join(root, 'SHA256SUMS'), 'utf8').split('\n')).toHaveLength(3)
  })

  it('overwrites only when told', async () => {
    const { key } = await keys()
    const root = data()
    await assay(['sign', root, '--key', key])
    const before = readFileSync(join(root, 'model.sig'), 'utf8')
    const refused = await assay(['sign', root, '--key', key])
    expect(refused.code).toBe(4)
    expect(refused.stderr).toContain('--force')
    expect(readFileSync(join(root, 'model.sig'), 'utf8')).toBe(before)
    expect((await assay(['sign', root, '--key', key, '--force', '--quiet'])).stdout).toBe('')
  })

  it.each([
    ['a folder that is not there', ['sign', '/nowhere/at/all']],
    ['a key that is not there', ['sign', '.', '--key', '/nowhere/at/all.key']],
  ])('%s is a mistake of the user', async (_, args) => {
    const ran = await assay([...args, '--sums', '/tmp/assay-never-written'])
    expect(ran.code).toBe(4)
    expect(ran.stderr).toContain('/nowhere/at/all')
    expect(existsSync('/tmp/assay-never-written')).toBe(false)
  })
})

describe('assay verify --bundle', () => {
  it('needs to know who may have signed, and one way only', async () => {
    const root = data()
    const { pub } = await keys()
    const bundle = ['verify', join(root, 'a.csv'), '--bundle', join(root, 'x.json')]
    expect(await assay(bundle)).toMatchObject({ code: 4, stderr: expect.stringContaining('--identity') })
    const both = await assay([...bundle, '--key', pub, '--identity', 'a@example.org', '--issuer', 'https://example.org'])
    expect(both).toMatchObject({ code: 4, stderr: expect.stringContaining('both') })
  })
})
