import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type ChainCheck, checkChain, loadCertificates, maySign } from '../../../src/provenance/signatures/certificates.ts'
import { type CertificateOptions, certificate, type Issued, KeyUsageFlags } from './certificate-maker.ts'
import { trusting } from './trust.ts'

const now = new Date('2026-11-24T00:00:00Z')
const x509 = ({ der }: Issued): X509Certificate => new X509Certificate(der)
const chain = (leaf: Issued, others: readonly Issued[], roots: readonly Issued[], at = now): ChainCheck =>
  checkChain(x509(leaf), others.map(x509), roots.map(x509), at)

const root = await certificate('root', { ca: true })
const middle = await certificate('middle', { ca: true, issuer: root })
const leaf = await certificate('signer', { issuer: middle })
const variant = (part: CertificateOptions, issuer = root) => certificate('middle', { ca: true, issuer, ...part })
const under = (issuer: Issued) => certificate('signer', { issuer })

describe('a chain', () => {
  it('leads to a root through what the bundle carries or the policy names', () => {
    expect(chain(leaf, [middle], [root]).status).toBe('trusted')
    expect(chain(leaf, [root, middle], [root]).status).toBe('trusted')
    expect(chain(leaf, [], [root, middle]).status).toBe('trusted')
    expect(chain(leaf, [], [middle]).status).toBe('trusted')
  })

  it('may be the named certificate itself', () => {
    expect(chain(leaf, [], [leaf]).status).toBe('trusted')
  })

  it('without a way to a named one is untrusted, whatever roots the bundle brings', async () => {
    const stranger = await certificate('root', { ca: true })
    expect(chain(leaf, [], [root]).status).toBe('untrusted')
    expect(chain(leaf, [middle, root], [stranger]).status).toBe('untrusted')
    expect(chain(leaf, [middle], []).status).toBe('untrusted')
  })

  it('that only bears the names of the root is untrusted', async () => {
    const forged = await certificate('root', { ca: true })
    const signer = await under(await certificate('middle', { ca: true, issuer: forged }))
    expect(chain(signer, [middle, forged], [root]).status).toBe('untrusted')
  })

  it('takes another way where one is not valid', async () => {
    const expired = await variant({ to: new Date('2026-02-01T00:00:00Z'), keys: middle.keys })
    expect(chain(leaf, [expired, middle], [root]).status).toBe('trusted')
  })

  it.each<[string, () => Promise<Issued>, string]>([
    ['expired', () => variant({ to: new Date('2026-11-23T00:00:00Z') }), 'invalid'],
    ['not yet valid', () => variant({ from: new Date('2026-11-25T00:00:00Z') }), 'invalid'],
    ['no authority', () => variant({ ca: false, usages: KeyUsageFlags.keyCertSign }), 'invalid'],
    ['an authority that may not sign certificates', () => variant({ usages: KeyUsageFlags.digitalSignature }), 'untrusted'],
  ])('is refused where its middle is %s', async (_, make, status) => {
    const issuer = await make()
    const checked = chain(await under(issuer), [issuer], [root])
    expect(checked.status).toBe(status)
    expect('reason' in checked && checked.reason).toContain(status === 'invalid' ? 'middle' : 'signer')
  })

  it('is judged at the given time', () => {
    expect(chain(leaf, [middle], [root], new Date('2025-12-31T23:59:59Z')).status).toBe('invalid')
    expect(chain(leaf, [middle], [root], new Date('2026-01-01T00:00:00Z')).status).toBe('trusted')
    expect(chain(leaf, [middle], [root], new Date('2036-01-01T00:00:01Z')).status).toBe('invalid')
  })

  it('may not be longer than an authority allows', async () => {
    const narrow = await certificate('narrow', { ca: true, pathLength: 0 })
    const direct = await under(narrow)
    const between = await certificate('middle', { ca: true, issuer: narrow })
    expect(chain(direct, [], [narrow]).status).toBe('trusted')
    expect(chain(await under(between), [between], [narrow]).status).toBe('invalid')
  })

  it('ends, however many certificates issue each other', async () => {
    const pool: Issued[] = []
    for (let i = 0; i < 16; i++) pool.push(await certificate('middle', { ca: true, issuer: middle, keys: middle.keys }))
    const since = Date.now()
    expect(chain(leaf, pool, [await certificate('else', { ca: true })]).status).toBe('untrusted')
    expect(Date.now() - since).toBeLessThan(5_000)
    expect(
      chain(
        leaf,
        Array.from({ length: 100 }, () => middle),
        [root],
      ).status,
    ).toBe('invalid')
  })
})

describe('maySign', () => {
  it('asks for digital signatures or code signing', async () => {
    expect(maySign(x509(leaf))).toBe(true)
    expect(maySign(x509(await certificate('x', { usages: KeyUsageFlags.keyAgreement })))).toBe(false)
    expect(maySign(x509(await certificate('x', { usages: KeyUsageFlags.keyAgreement, codeSigning: true })))).toBe(true)
  })
})

describe('loadCertificates', () => {
  it('reads several from one file', () => {
    expect(loadCertificates(trusting({ certificates: [{ name: 'ca.pem', text: `${root.pem}\nnotes\n${middle.pem}` }] }))).toHaveLength(2)
  })

  it.each(['', 'nothing', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])('refuses %j and names the file', (text) => {
    expect(() => loadCertificates(trusting({ certificates: [{ name: 'ca.pem', text }] }))).toThrow(/ca\.pem/)
  })
})
