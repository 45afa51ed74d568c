import type { ManifestFormat } from '../../contracts/provenance.ts'
import { readBounded, readHead } from '../delivery.ts'
import { readSigned } from './signed.ts'

const named = /\.(?:intoto|in-toto|dsse|att|attestation)(?:\.jsonl?)?$/i
const envelopeKeys = [/"payloadType"\s*:\s*"/, /"(?:payload|signatures)"\s*:/]
/** What the payload may be whose type stands after it, out of sight. */
const longPayload = /^(?:\xef\xbb\xbf)?\s*\{\s*"payload"\s*:\s*"[A-Za-z0-9+/_=-]{3000,}$/
const maxEnvelopeBytes = 128 << 20
const statement = /"_type"\s*:\s*"https:\/\/in-toto\.io\/Statement\//

/** DSSE envelopes and bare in-toto statements, also one a line. */
export const inToto: ManifestFormat = {
  kind: 'in-toto',
  title: 'in-toto statement',
  detect: ({ path }, head) => {
    if (named.test(path)) return true
    if (!/\.jsonl?$/i.test(path)) return false
    const text = Buffer.from(head()).toString('latin1')
    if (!/^(?:\xef\xbb\xbf)?\s*\{/.test(text)) return false
    return statement.test(text) || longPayload.test(text) || envelopeKeys.every((key) => key.test(text))
  },
  async confirm({ path, bytes }, delivery) {
    if (named.test(path) || bytes > maxEnvelopeBytes || !longPayload.test(readHead(delivery, path, 4096).toString('latin1'))) return true
    const text = (await readBounded(delivery, path, maxEnvelopeBytes)).toString('latin1')
    return envelopeKeys.every((key) => key.test(text))
  },
  read: readSigned,
}
