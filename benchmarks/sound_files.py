"""Measure what the sounds of a site take: python -m benchmarks.sound_files SITE [--json FILE]

Sizes of all sounds as WAV and as FLAC, and the seconds to write and to read them here. With
Chromium, also the seconds in which the page's own reader and the browser's decoder read them, and
how many samples come out of the latter as other integers.
"""

import argparse
import base64
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from report.article.page import assets
from report.artifacts.media import Sound, decode, keeps_rate, to_flac, to_wav

READ = """async (files) => {
  const buffers = files.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const context = new OfflineAudioContext({ length: 1, sampleRate: %d });
  let began = performance.now();
  const own = buffers.map(flac.decode);
  const seconds = (performance.now() - began) / 1000;
  began = performance.now();
  const theirs = await Promise.all(buffers.map((buffer) => context.decodeAudioData(buffer)));
  const browser = (performance.now() - began) / 1000;
  let other = 0;
  theirs.forEach((buffer, i) => buffer.getChannelData(0).forEach((value, t) => {
    other += Math.round(value * 32768) !== own[i][t];
  }));
  return [seconds, browser, other];
}"""


def measure(site: Path) -> dict[str, Any]:
    """Return sizes in bytes, samples, and seconds of this process."""
    wav, flac, n_samples, write, read = 0, 0, 0, 0.0, 0.0
    paths = [path for path in sorted(site.glob("media/*")) if path.suffix in (".flac", ".wav")]
    for path in paths:
        sound = decode(path.read_bytes(), f"audio/{path.suffix[1:]}")
        assert isinstance(sound, Sound)
        wav += len(to_wav(sound.samples, sound.samplerate))
        n_samples += sound.samples.size
        if keeps_rate(sound.samplerate):
            began = time.process_time()
            data = to_flac(sound.samples, sound.samplerate)
            written = time.process_time()
            back = decode(data, "audio/flac")
            read += time.process_time() - written
            write += written - began
            assert isinstance(back, Sound) and np.array_equal(back.samples, sound.samples)
            flac += len(data)
    whole = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    counts = {"sounds": len(paths), "samples": n_samples, "site": whole}
    return counts | {"wav": wav, "flac": flac, "write": write, "read": read}


def measure_in_browser(site: Path) -> dict[str, Any]:
    """Return the seconds of the page's reader and of Chromium's, for up to 200 sounds."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, FLAGS

    paths = sorted(site.glob("media/*.flac"))[:200]
    files = [path.read_bytes() for path in paths]
    sounds = [decode(data, "audio/flac") for data in files]
    rate = max(sound.samplerate for sound in sounds if isinstance(sound, Sound))
    script = assets()["sound.js"].decode().replace("const flac", "globalThis.flac")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.evaluate("(text) => { (0, eval)(text); }", script)
        texts = [base64.b64encode(data).decode() for data in files]
        own, theirs, other = page.evaluate(READ % rate, texts)
        browser.close()
    n_samples = sum(sound.samples.size for sound in sounds if isinstance(sound, Sound))
    return {"n": len(files), "samples": n_samples, "own": own, "browser": theirs, "other": other}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("site", type=Path, help="folder of a built site")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    args = parser.parse_args()
    found = measure(args.site)
    print(f"{found['sounds']} sounds, {found['samples'] / 1e6:.1f} million samples")
    print(f"WAV {found['wav'] / 1e6:.1f} MB, FLAC {found['flac'] / 1e6:.1f} MB ", end="")
    print(f"({found['flac'] / found['wav']:.2f}), whole site {found['site'] / 1e6:.1f} MB")
    print(f"written in {found['write']:.2f} s, read in {found['read']:.2f} s of one core")
    browser = measure_in_browser(args.site)
    print(f"in Chromium, {browser['n']} of them ({browser['samples'] / 1e6:.1f} million samples): ")
    print(f"the page's reader {browser['own']:.2f} s, the browser's {browser['browser']:.2f} s, ")
    print(f"which changes {browser['other']} samples")
    if args.json:
        args.json.write_text(json.dumps(found | {"chromium": browser}, indent=1) + "\n")


if __name__ == "__main__":
    main()
