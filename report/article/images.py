"""Pictures in files beside an article, which its prose shows: artifacts as any other."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
from markdown_it.token import Token
from PIL import Image, ImageOps, UnidentifiedImageError

from report.article.prose import is_local, markdown
from report.artifacts.media import Picture
from report.artifacts.session import Artifact, conjure
from report.errors import ReportError


@conjure
def local_image(file: Path, alt: str) -> Picture:
    """Return the picture in a file, upright, on white where one could see through it."""
    with Image.open(file) as image:
        return Picture(pixels_of(image), alt, image.format in ("JPEG", "WEBP"))


def pixels_of(image: Image.Image) -> np.ndarray:
    """Return the pixels (H, W, 3) of an image, upright, on white where one could see through it."""
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", upright.size, "white")
    return np.asarray(Image.alpha_composite(white, upright).convert("RGB"))


def images_of(text: str, script: Path) -> dict[str, Artifact]:
    """Return address -> artifact of the local images in the prose of a script.

    Raises: ReportError for one that is not there, or is no picture.
    """
    images = {}
    for token in image_tokens(markdown().parse(text)) if "![" in text else ():
        address = str(token.attrs["src"])
        if not is_local(address):
            continue
        file = script.parent / unquote(address)
        if not file.is_file():
            raise ReportError(f"there is no image {address} beside the script")
        try:
            with Image.open(file):
                images[address] = local_image(file, token.content)
        except UnidentifiedImageError as error:
            raise ReportError(f"{address} is no PNG, JPEG, WebP or GIF") from error
    return images


def image_tokens(tokens: list[Token]) -> Iterator[Token]:
    """Yield the images among the tokens of Markdown."""
    for token in tokens:
        if token.type == "image":
            yield token
        else:
            yield from image_tokens(token.children or [])
