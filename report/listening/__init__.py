"""Listening tests: what is asked, and what listeners answer. In reading order:

`design` is what a test asks, as bytes whose hash the answers name. `anchors` makes the sounds that
a test adds to those of its author. `answers` is what one listener says, checked as what comes from
anyone, and `collection` many of them. `screening` finds listeners whose answers do not count, and
`analysis` what the others say together. `receiver` takes the answers that a page sends.
"""
