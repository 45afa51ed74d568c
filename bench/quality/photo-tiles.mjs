// photo-tiles.mjs FOLDER OUT: tiles of 32 x 32 pixels of photographs, none overlapping another, for benches of detectors that read images.
// Every photograph is scaled to about 500 tiles; tiles with less than 6 grey levels of deviation (sky) are left out. The class of a tile is
// the group of its photograph, by motif: there is no set of photographs with classes that any package ships. The photographs are those of
// the Debian packages lomiri-wallpapers-16.04, lomiri-wallpapers-20.04 and mate-backgrounds, unpacked below FOLDER.
// Writes OUT-x.npy (rows, 32, 32, 3) and OUT-y.npy (rows), bytes.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import sharp from 'sharp'
import { writeNpy } from './npy.mjs'

const groups = {
  leaves: ['Dragonfly_by_Bolly', 'life_by_Aitzol_Berasategi', 'Blinds', 'GreenMeadow', 'LadyBird', 'RainDrops'],
  flowers: ['seeding_by_Clements_Engelhardt', 'FreshFlower', 'Garden', 'TwoWings', 'YellowFlower', 'Picture_1A_by_freespace'],
  landscapes: [
    'Bridge_by_Sander_Klootwijk',
    'aitzgorri_by_Aitzol_Berasategi',
    'picosdeeuropa_by_Aitzol_Berasategi',
    'sunset_by_Aitzol_Berasategi',
    'Dune',
    'Storm',
  ],
  things: [
    'Picture_0B_by_freespace',
    'Wine_by_Jakkub_Mede',
    'free_by_Peter_Nerlich',
    'friends_by_Aitzol_Berasategi',
    'greentock_by_Peter_Nerlich',
    'analogpattern_by_Peter_Nerlich',
    'Kleiber_by_Lukas_Baubkus',
    'Aqua',
    'Wood',
  ],
}
const side = 32
const tilesOfAPhotograph = 500
const leastDeviation = 6

function deviation(tile) {
  let [sum, squares] = [0, 0]
  for (const v of tile) {
    sum += v
    squares += v * v
  }
  return Math.sqrt(squares / tile.length - (sum / tile.length) ** 2)
}

const [folder, out] = process.argv.slice(2)
const files = readdirSync(folder, { recursive: true }).sort()
const pictures = []
const labels = []
for (const [label, names] of Object.values(groups).entries())
  for (const name of names) {
    const file = files.find((f) => basename(f) === `${name}.jpg`)
    if (!file) throw new Error(`there is no ${name}.jpg below ${folder}`)
    const image = sharp(join(folder, file)).removeAlpha().toColourspace('srgb')
    const { width, height } = await image.metadata()
    const scale = Math.sqrt((tilesOfAPhotograph * side * side) / (width * height))
    const [across, down] = [Math.floor((width * scale) / side), Math.floor((height * scale) / side)]
    const data = await image
      .resize(across * side, down * side, { fit: 'fill' })
      .raw()
      .toBuffer()
    for (let t = 0; t < across * down; t++) {
      const tile = new Uint8Array(side * side * 3)
      for (let y = 0; y < side; y++) {
        const from = ((Math.floor(t / across) * side + y) * across * side + (t % across) * side) * 3
        tile.set(data.subarray(from, from + side * 3), y * side * 3)
      }
      if (deviation(tile) < leastDeviation) continue
      pictures.push(tile)
      labels.push(label)
    }
  }
writeNpy(`${out}-x.npy`, [labels.length, side, side, 3], Buffer.concat(pictures))
writeNpy(`${out}-y.npy`, [labels.length], Buffer.from(labels))
console.log(
  `${labels.length} tiles; ${Object.keys(groups)
    .map((g, i) => `${g} ${labels.filter((l) => l === i).length}`)
    .join(', ')}`,
)
