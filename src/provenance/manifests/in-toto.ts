import type { ManifestFormat } from '../../contracts/provenance.ts'
import { readSigned } from './signed.ts'

const named = /\.(?:intoto|in-toto|dsse|att|attestation)(?:\.jsonl?)?$/i
const envelope = /"payloadType"\s*:\s*"application\/(?:vnd\.in-toto[^"]*|json)"/
const statement = /"_type"\s*:\s*"https:\/\/in-toto\.io\/Statement\//

/** DSSE envelopes and bare in-toto statements, also one a line. */
export const inToto: ManifestFormat = {
  kind: 'in-toto',
  title: 'in-toto statement',
  detect: ({ path }, head) => {
    if (named.test(path)) return true
    if (!/\.jsonl?$/i.test(path)) return false
    const text = Buffer.from(head()).toString('latin1')
    return /^(?:\xef\xbb\xbf)?\s*\{/.test(text) && (envelope.test(text) || statement.test(text))
  },
  read: readSigned,
}
