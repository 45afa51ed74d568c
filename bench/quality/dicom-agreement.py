"""Stored values and pictures of pydicom's own test files beside pydicom (with pylibjpeg and GDCM).

    pip install pydicom pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pylibjpeg-rle python-gdcm pillow
    python bench/quality/dicom-agreement.py
"""
import json, pathlib, subprocess, sys, tempfile, warnings
import numpy as np, pydicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut, apply_color_lut, convert_color_space, pixel_array
import tifffile

warnings.simplefilter("ignore")
folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(pydicom.__file__).parent / "data" / "test_files")
root = pathlib.Path(__file__).resolve().parents[2]
out = pathlib.Path(tempfile.mkdtemp())
subprocess.run(["node", "--import", "tsx", "bench/quality/dicom-dump.ts", str(folder), str(out)], cwd=root, check=True)

def rendered(ds, stored):
    pi = ds.PhotometricInterpretation
    if pi == "PALETTE COLOR":
        v = apply_color_lut(stored, ds)
        return v / 65535 if v.dtype == np.uint16 else v / 255
    if pi in ("MONOCHROME1", "MONOCHROME2"):
        v = apply_modality_lut(stored, ds)
        if "WindowWidth" in ds or "VOILUTSequence" in ds:
            w = apply_voi_lut(v, ds, prefer_lut=False)
            if "WindowWidth" in ds:
                # pydicom's output range follows the bits of the file; black and white are where its window ends
                c, width = (float(x[0] if isinstance(x, pydicom.multival.MultiValue) else x) for x in (ds.WindowCenter, ds.WindowWidth))
                v = np.clip((v - (c - .5)) / (width - 1) + .5, 0, 1)
            else:
                v = w / (2 ** ds.VOILUTSequence[0].LUTDescriptor[2] - 1)
        elif ds.BitsStored <= 8:
            v = v / (2 ** ds.BitsStored - 1)
        else:
            v = (v - v.min()) / max(v.max() - v.min(), 1)
        return 1 - v if pi == "MONOCHROME1" else v
    return stored / (2 ** ds.BitsStored - 1)

rows, same, near, refused, ours_only, wrong = [], 0, 0, 0, 0, 0
for r in json.load(open(out / "index.json")):
    try:
        ds = pydicom.dcmread(folder / r["name"], force=True)
        if "TransferSyntaxUID" not in ds.file_meta:
            ds.file_meta.TransferSyntaxUID = ("1.2.840.10008.1.2.2" if not ds.original_encoding[1] else "1.2.840.10008.1.2.1" if not ds.original_encoding[0] else "1.2.840.10008.1.2")
        theirs = pixel_array(ds, index=r.get("frame", 0), raw=True) if "stem" in r else ds.pixel_array
        error = None
    except Exception as e:
        theirs, error = None, type(e).__name__ + ": " + str(e).split("\n")[0][:70]
    if "reason" in r:
        refused += 1
        rows.append((r["name"], "refused: " + r["reason"], error or f"pydicom reads {theirs.shape}"))
        continue
    ours = np.fromfile(out / (r["stem"] + ".f64"))
    if theirs is None:
        ours_only += 1
        rows.append((r["stem"], f"read, {len(ours)} values", error))
        continue
    diff = np.abs(ours - theirs.astype(float).ravel()).max() if ours.size == theirs.size else np.inf
    tiff = tifffile.imread(out / (r["stem"] + ".tiff"))
    shown = tiff / (65535 if tiff.dtype == np.uint16 else 255)
    try:
        stored = theirs
        if ds.PhotometricInterpretation.startswith("YBR_FULL"): stored = convert_color_space(theirs, ds.PhotometricInterpretation, "RGB")
        want = rendered(ds, stored)
        picture = f"{np.abs(shown - want).max():.5f}" if want.shape == shown.shape else f"shape {want.shape} {shown.shape}"
    except Exception as e:
        picture = type(e).__name__ + " " + str(e)[:50]
    same += diff == 0; near += 0 < diff <= 3; wrong += diff > 3
    rows.append((r["stem"], f"stored values differ by at most {diff:g}", f"picture by {picture} of 1"))
for row in rows: print("  ".join(map(str, row)))
print(f"frames equal {same}, within 3 levels {near}, further {wrong}; files refused with a reason {refused}; read here and not by pydicom {ours_only}")
