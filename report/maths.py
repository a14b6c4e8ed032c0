"""Formulas in prose, $x^2$ or $$x^2$$, become MathML, which browsers show without scripts."""

import html
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

# What \class, \style and \href set: a page's policy forbids styles, and a formula is no place for a link.
FORBIDDEN = ("class", "href", "style")


def maths_plugin(markdown: MarkdownIt) -> None:
    """Markdown with formulas. "$5 and $6" stays text, because there is a space before its second dollar sign."""
    markdown.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=False,
        renderer=lambda latex, options: to_mathml(latex, "block" if options["display_mode"] else "inline"),
    )


def to_mathml(latex: str, display: str) -> str:
    """The MathML of a formula. Raises: ValueError if it is not well formed, or has a command that is not known."""
    try:
        formula = convert_to_element(latex, display=display)
    except Exception as error:  # of a dozen kinds, none of which says anything else than its name
        raise ValueError(f"the formula ${latex}$ can not be read: {type(error).__name__}") from error
    del formula.attrib["xmlns"]  # HTML knows what <math> is
    for element in formula.iter():
        if forbidden := next((name for name in FORBIDDEN if name in element.attrib), None):
            raise ValueError(f"the formula ${latex}$ has a \\{forbidden}; leave it out")
        element.text = html.unescape(element.text or "")  # the converter escapes some of it, and the next line all
        if element.tag != "mtext" and element.text.startswith("\\") and len(element.text) > 1:
            raise ValueError(f"the formula ${latex}$ has an unknown command {element.text}")
    return ElementTree.tostring(formula, encoding="unicode")
