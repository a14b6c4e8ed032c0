"""Listening tests: what is asked, and what listeners answer. In reading order:

`design` is what a test asks, as bytes whose hash the answers name. `anchors` makes the sounds that
a test adds to those of its author. `answers` is what one listener says, checked as what comes from
anyone.
"""
