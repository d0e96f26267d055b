"""Sentences with facts in them: markup stays markup, and text that looks like it is escaped."""

from __future__ import annotations

from markupsafe import Markup

from lms.web.pages import environment


def test_a_fact_is_escaped_however_often_the_like_was_said_as_markup() -> None:
    say = environment("en").globals["_"]

    drawn = [say("First password of %(name)s", name=Markup("<b>A</b>")) for _ in range(2)]
    typed = [say("First password of %(name)s", name="<b>A</b>") for _ in range(2)]

    assert drawn == ["First password of <b>A</b>"] * 2
    assert typed == ["First password of &lt;b&gt;A&lt;/b&gt;"] * 2


def test_one_and_true_are_not_the_same_word() -> None:
    say = environment("en").globals["_"]

    assert [say("Edition %(number)s", number=one) for one in (1, 1.0, True)] == [
        "Edition 1",
        "Edition 1.0",
        "Edition True",
    ]
